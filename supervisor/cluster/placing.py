"""Places a task: claims an epoch of it, has a host admit it, has it booted there.

An epoch is booted by one host at most. If a boot is refused or its answer lost, the next host gets the next epoch; but
a program that does not come up by its own fault would not do so elsewhere, and is not tried there. A boot whose answer
was lost may have happened all the same: then most guardians have its record, the claim of the next epoch meets it, and
the task counts as placed there.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass, replace

from supervisor.cluster.claiming import Claimed, Lost, claim
from supervisor.cluster.guardians import before, chosen
from supervisor.cluster.placement import SILENT, candidates
from supervisor.cluster.ports import Silent
from supervisor.cluster.promises import given_up
from supervisor.cluster.room import lack
from supervisor.cluster.shared import Shared
from supervisor.cluster.values import Admitted, Booted, Cause, Full, Member, Record


@dataclass(frozen=True, slots=True)
class Placed:
    """The task answers at its new owner."""

    record: Record


@dataclass(frozen=True, slots=True)
class NotPlaced:
    """It does not. `newer`: because somebody else placed or changed it meanwhile."""

    problem: str
    newer: Record | None = None
    cause: Cause = Cause.HOST
    given_up: Record | None = None  # of no host: guardians have that after a failed boot, and would try again
    host: str = ""  # where its program did not come up


async def place(
    shared: Shared,
    base: Record,
    *,
    without: Collection[str] = (),
    above: int = 0,
    before_boot: Callable[[], Awaitable[None]] | None = None,
    by_owner: bool = False,
) -> Placed | NotPlaced:
    """Places what `base` says, as the record after it. `base` is the newest record known, epoch 0 for a new task.

    The epoch will be above `above`. `by_owner`: this host has the task, and stops its own copy in time.
    """
    with shared.claiming(base.label) as is_alone:
        if not is_alone or base.label in shared.boots:
            return NotPlaced("this host places or boots it at this moment")
        owned = shared.ledger.owns(base.label)
        if owned is not None and owned.version > base.version:
            return NotPlaced("this host has it by now", owned)
        if owned is not None and not by_owner:
            shared.doubt(base.label)
            return NotPlaced(f"host {shared.me} has it still, and asks its guardians whether it may: apply it again")
        return await _place(_Placing(shared, without), base, above, before_boot)


async def _place(
    placing: _Placing, base: Record, above: int, before_boot: Callable[[], Awaitable[None]] | None
) -> Placed | NotPlaced:
    shared = placing.shared
    known = above
    for _ in range(shared.rules.tries):
        got = await claim(shared, base, above=known)
        if not isinstance(got, Claimed):
            return placing.lost(got)
        known = placing.claimed = shared.placing[base.label] = got.epoch
        host = await placing.admitted(base, got.epoch)
        if host is None:
            return placing.failed(base)
        if before_boot is not None:
            await before_boot()
        record = following(shared, base, got.epoch, host.id)
        try:
            answer = await shared.peers.boot(host, record.label, record.epoch)
        except Silent as silent:
            placing.past(host, str(silent) or SILENT)
            continue  # it may have booted: then guardians have the record, and the next claim meets it
        if isinstance(answer, Booted):
            placing.tell(record)
            return Placed(record)
        base = placing.given_up = given_up(record)
        if answer.cause is Cause.PROGRAM:
            return NotPlaced(answer.problem, cause=Cause.PROGRAM, given_up=base, host=host.id)
        placing.past(host, answer.problem)
    return placing.failed(base)


def following(shared: Shared, base: Record, epoch: int, owner: str) -> Record:
    """The record of `base` placed at `owner`."""
    guardians = chosen(base.label, shared.view, shared.order, shared.rules, owner=owner)
    known_before = before(base)
    return replace(
        base,
        epoch=epoch,
        revision=1,
        owner=owner,
        guardians=guardians,
        previous=() if known_before == guardians else known_before,
        void=False,
    )


class _Placing:
    """One placement: which hosts it passed by, and why."""

    def __init__(self, shared: Shared, without: Collection[str]) -> None:
        self.shared = shared
        self._without = without
        self._past: dict[str, str] = {}
        self.given_up: Record | None = None  # after the latest boot that failed
        self.claimed = 0  # the latest epoch

    async def admitted(self, base: Record, epoch: int) -> Member | None:
        """The first host that reserves room."""
        shared = self.shared
        for host in self._candidates(base):
            try:
                answer = await shared.peers.admit(host, following(shared, base, epoch, host.id))
            except Silent as silent:
                shared.full.mark(host.id, shared.now, None)  # or many placements would wait for it
                self._past[host.id] = str(silent) or SILENT
                continue
            if isinstance(answer, Admitted):
                return host
            if isinstance(answer, Full):
                shared.full.mark(host.id, shared.now, answer.free)
                self._past[host.id] = lack(base.needs, answer.free) or "it was full a moment ago"
            else:
                self._past[host.id] = answer.problem
        return None

    def past(self, host: Member, why: str) -> None:
        """It did not come up there."""
        self._past[host.id] = why

    def lost(self, lost: Lost) -> NotPlaced:
        """Too few guardians agree, or somebody else changed it."""
        problem = "; ".join(filter(None, (self._in_words(self._past), lost.problem)))
        return NotPlaced(problem, lost.newer, given_up=self._given_up())

    def failed(self, base: Record) -> NotPlaced:
        """It is nowhere."""
        if self.given_up is not None:
            return NotPlaced(self._in_words(self._past), given_up=self._given_up())
        past = self.shared.full.lately(base.needs, self.shared.now) | self._past
        if base.needs.hosts is not None:
            past = {host: "it is not up" for host in base.needs.hosts if host not in self._without} | past
            past = {host: why for host, why in past.items() if host in base.needs.hosts}
            if not past:
                return NotPlaced(f"it may run on {', '.join(base.needs.hosts)} only", cause=Cause.ROOM)
        words = self._in_words(past) or "none that is up says that it has some"
        return NotPlaced(f"no host has room for it: {words}", cause=Cause.ROOM)

    def tell(self, record: Record) -> None:
        """Which host has it now, and which newer ones do not."""
        shared = self.shared
        details = {"label": record.label, "on": record.owner, "epoch": record.epoch}
        passed = {**shared.full.lately(record.needs, shared.now), **self._past}
        newer = {host: why for host, why in passed.items() if self._rank(host) < self._rank(record.owner)}
        shared.notice("placed", {**details, "past": self._in_words(newer)} if newer else details)

    def _candidates(self, base: Record) -> list[Member]:
        shared = self.shared
        return candidates(
            shared.view,
            base.needs,
            full=shared.full,
            now=shared.now,
            without={*self._without, *self._past},
            rules=shared.rules,
            chance=shared.chance,
        )

    def _given_up(self) -> Record | None:
        """Under the latest epoch: its promise bars what is older."""
        return None if self.given_up is None else replace(self.given_up, epoch=self.claimed)

    def _rank(self, host: str) -> int:
        return self.shared.view.rank.get(host, len(self.shared.view.members))

    def _in_words(self, past: Mapping[str, str]) -> str:
        """The newest hosts first, as many as are asked for one placement."""
        told = sorted(past, key=self._rank)[: self.shared.rules.tries]
        words = "; ".join(past[host] if past[host].startswith(host) else f"{host}: {past[host]}" for host in told)
        return f"{words}; and {len(past) - len(told)} more" if len(past) > len(told) else words
