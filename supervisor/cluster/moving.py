"""An owner moves its tasks to other hosts: the new copy answers before the old one stops.

A strict task stops first, since it must never run twice: it has no copy for as long as it takes to boot.
"""

from __future__ import annotations

from supervisor.cluster.finding import pass_on_tombstones
from supervisor.cluster.guardians import agreed, quorums
from supervisor.cluster.placing import NotPlaced, Placed, place
from supervisor.cluster.ports import Silent
from supervisor.cluster.room import lack
from supervisor.cluster.securing import end_copy, give_up, take_back
from supervisor.cluster.shared import Shared
from supervisor.cluster.values import Mode, Record

AT_A_TIME = 8
AGAIN_S = 2.0


async def move(shared: Shared, label: str) -> str | None:
    """Moves one task away; None: it is not here any more. Otherwise why it is."""
    record = shared.ledger.owns(label)
    if record is None:
        return None
    outcome = await move_own(shared, record)
    return None if isinstance(outcome, Placed) or outcome.newer is not None else outcome.problem


async def move_own(shared: Shared, wanted: Record) -> Placed | NotPlaced:
    """Places a task of this host on another one, as `wanted` says, whose version has to be this host's."""
    label = wanted.label
    async with shared.turn(label):
        record = shared.ledger.owns(label)
        if record is None or record.version != wanted.version:
            return NotPlaced("it was changed or placed meanwhile", shared.ledger.record(label))

        async def stop_first() -> None:
            shared.offered.add(label)
            shared.leases.ended(label)
            shared.runs.discard(label)
            await shared.local.stop(label)

        if wanted.needs != record.needs:
            _mark_full(shared, record, wanted)
        before_boot = stop_first if record.mode is Mode.STRICT else None
        outcome = await place(shared, wanted, without=(shared.me,), before_boot=before_boot, by_owner=True)
        if isinstance(outcome, Placed):
            await _let_go(shared, outcome.record)
        elif outcome.newer is not None:
            await give_up(shared, outcome.newer)
        elif outcome.given_up is not None:
            await take_back(shared, record, outcome.given_up)
        else:
            shared.doubt(label)  # the guardians have promised an epoch that nobody uses, as far as is known
        return outcome


async def move_all(shared: Shared, until: float) -> dict[str, str]:
    """Moves all tasks, again and again until then; returns those that are still here, or come up, and why."""
    while True:
        labels = [record.label for record in shared.ledger.owned()]
        problems: dict[str, str] = {}
        for start in range(0, len(labels), AT_A_TIME):
            batch = labels[start : start + AT_A_TIME]
            found = await shared.scheduler.together(*(move(shared, label) for label in batch))
            problems |= {label: why for label, why in zip(batch, found, strict=True) if why is not None}
        problems |= dict.fromkeys(shared.boots, "it is being booted here at this moment")
        if not problems or shared.now >= until:
            return problems
        await shared.scheduler.sleep(AGAIN_S)


async def hand_over_guarding(shared: Shared) -> list[str]:
    """Waits until owners have found other guardians for what this host guards; no longer than they may take.

    Returns the strict tasks that still need this one: without two of their three guardians they would have to stop, or
    could not be placed again.
    """
    until = shared.now + shared.rules.settle_most_s + shared.rules.settle_s
    await pass_on_tombstones(shared)
    while shared.now < until and any(record.exists for record in shared.ledger.guarded()):
        await shared.scheduler.sleep(1.0)
    await shared.scheduler.together(*(_ask_owner(shared, record) for record in _strictly_guarded(shared)))
    return [record.label for record in _strictly_guarded(shared) if _is_needed(shared, record)]


def _is_needed(shared: Shared, record: Record) -> bool:
    """A living owner finds another guardian. Nobody does for one that is gone, maybe for ever: enough have to stay."""
    if shared.view.is_alive(record.owner):
        return True
    others = shared.view.guarding - {shared.me}
    return not agreed(quorums(record, shared.view, shared.now, shared.rules), others)


def _strictly_guarded(shared: Shared) -> list[Record]:
    return [record for record in shared.ledger.guarded() if record.exists and record.mode is Mode.STRICT]


async def _ask_owner(shared: Shared, record: Record) -> None:
    """It may have found another guardian, and this host missed its word."""
    member = shared.member(record.owner)
    if member is None:
        return
    try:
        newer = await shared.peers.find(member, record.label)
    except Silent:
        return
    if newer is not None:
        await shared.take(newer)


def _mark_full(shared: Shared, record: Record, wanted: Record) -> None:
    """Whoever asked for the change hears what this host has too little of, as of the others."""
    shared.admission.release(record.label)
    free = shared.admission.free
    shared.admission.insist(record.label, record.epoch, record.needs)
    if lack(wanted.needs, free) is not None:
        shared.full.mark(shared.me, shared.now, free)


async def _let_go(shared: Shared, record: Record) -> None:
    if shared.ledger.owns(record.label) is not None:
        await shared.ledger.put(record, shared.now)
    await end_copy(shared, record.label)
