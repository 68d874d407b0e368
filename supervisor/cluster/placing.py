"""Places a task: claims an epoch of it, has a host admit it, has it booted there.

An epoch is booted by one host at most. If a boot is refused or its answer lost, the next host gets the next epoch. A
boot whose answer was lost may have happened all the same: then most guardians have its record, the claim of the next
epoch meets it, and the task counts as placed there.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass, replace

from supervisor.cluster.claiming import Claimed, claim
from supervisor.cluster.guardians import chosen
from supervisor.cluster.placement import candidates
from supervisor.cluster.ports import Silent
from supervisor.cluster.shared import Shared
from supervisor.cluster.values import Admitted, Booted, Full, Member, Record


@dataclass(frozen=True, slots=True)
class Placed:
    """The task answers at its new owner."""

    record: Record


@dataclass(frozen=True, slots=True)
class NotPlaced:
    """It does not. `newer`: because somebody else placed or changed it meanwhile."""

    problem: str
    newer: Record | None = None


async def place(
    shared: Shared,
    base: Record,
    *,
    without: Collection[str] = (),
    above: int = 0,
    before_boot: Callable[[], Awaitable[None]] | None = None,
) -> Placed | NotPlaced:
    """Places what `base` says, as the record after it. `base` is the newest record known, epoch 0 for a new task.

    The epoch will be above `above`.
    """
    tried = set(without)
    known = above
    problem = "no host has room for it"
    for _ in range(shared.rules.tries):
        got = await claim(shared, base, above=known)
        if not isinstance(got, Claimed):
            return NotPlaced(got.problem, got.newer)
        known = got.epoch
        host = await _admitted(shared, base, got.epoch, tried)
        if host is None:
            return NotPlaced(problem)
        if before_boot is not None:
            await before_boot()
        record = following(shared, base, got.epoch, host.id)
        tried.add(host.id)
        try:
            answer = await shared.peers.boot(host, record.label, record.epoch)
        except Silent:
            continue  # it may have booted: then guardians have the record, and the next claim meets it
        if isinstance(answer, Booted):
            return Placed(record)
        problem = f"{host.id}: {answer.problem}"
        base = record  # some guardians may have it
    return NotPlaced(problem)


def following(shared: Shared, base: Record, epoch: int, owner: str) -> Record:
    """The record of `base` placed at `owner`."""
    guardians = chosen(base.label, shared.view, shared.order, shared.rules, owner=owner)
    before = base.previous or base.guardians
    return replace(
        base,
        epoch=epoch,
        revision=1,
        owner=owner,
        guardians=guardians,
        previous=() if before == guardians else before,
    )


async def _admitted(shared: Shared, base: Record, epoch: int, tried: set[str]) -> Member | None:
    """The first host that reserves room."""
    hosts = candidates(
        shared.view,
        base.needs,
        full=shared.full,
        now=shared.now,
        without=tried,
        rules=shared.rules,
        chance=shared.chance,
    )
    for host in hosts:
        try:
            answer = await shared.peers.admit(host, following(shared, base, epoch, host.id))
        except Silent:
            shared.full.mark(host.id, shared.now)  # or else each of many placements would wait for it
            continue
        if isinstance(answer, Admitted):
            return host
        if isinstance(answer, Full):
            shared.full.mark(host.id, shared.now)
    return None
