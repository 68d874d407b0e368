"""What a user asks of any host: apply, find, remove a task of the cluster.

A known task is changed by its owner, who puts changes in order, and moves it where that is needed. If the owner is
gone, the task is placed anew, with what changed.
"""

from __future__ import annotations

from dataclasses import replace

from supervisor.cluster import finding
from supervisor.cluster.claiming import Claimed, claim
from supervisor.cluster.finding import find
from supervisor.cluster.guardians import first_claimed, union
from supervisor.cluster.placing import NotPlaced, Placed, following, place
from supervisor.cluster.ports import Silent
from supervisor.cluster.promises import LIFETIME, as_wanted, beats, lifetime
from supervisor.cluster.shared import Shared
from supervisor.cluster.telling import tell
from supervisor.cluster.values import Member, Record, Revised

ATTEMPTS = 4  # somebody else may change the same task
PAUSE_S = 0.5  # at most, between them


async def apply(shared: Shared, wanted: Record) -> Placed | NotPlaced:
    """Makes the task what `wanted` says; its version, owner and guardians do not matter."""
    async with shared.change(wanted.label):
        return await _repeat_apply(shared, wanted)


async def remove(shared: Shared, label: str) -> Placed | NotPlaced | None:
    """Ends a task for good and leaves a tombstone; None: there is no such task."""
    async with shared.change(label):
        return await _repeat_remove(shared, label)


async def _repeat_apply(shared: Shared, wanted: Record) -> Placed | NotPlaced:
    outcome: Placed | NotPlaced = NotPlaced("other hosts change it at this moment")
    known = await find(shared, wanted.label)
    for _ in range(ATTEMPTS):
        outcome = await _apply(shared, known, wanted)
        if isinstance(outcome, Placed) or outcome.newer is None:
            return outcome
        known = outcome.newer
        await shared.scheduler.sleep(shared.chance.uniform(0, PAUSE_S))
    return outcome


async def _repeat_remove(shared: Shared, label: str) -> Placed | NotPlaced | None:
    known = await find(shared, label)
    for _ in range(ATTEMPTS):
        if known is not None and known.void:
            return None
        if known is None:
            is_unknown = await finding.is_unknown(shared, label)
            return None if is_unknown else NotPlaced("too few of the hosts that may know it answer")
        if known.removed:
            await shared.take(known)  # it counts as a guardian that knows
            told = await tell(shared, known)
            return (
                None if told.is_kept else NotPlaced("it is removed, but too few of its guardians know yet", told.newer)
            )
        gone = replace(known, settings={}, bundle=None, wanted=False, removed=True)
        outcome = await _apply(shared, known, gone)
        if isinstance(outcome, Placed) or outcome.newer is None:
            return outcome
        known = outcome.newer
    return NotPlaced("other hosts change it at this moment")


async def _apply(shared: Shared, known: Record | None, wanted: Record) -> Placed | NotPlaced:
    if known is None:
        claimed = first_claimed(wanted.label, shared.view, shared.order, shared.rules, mode=wanted.mode) or (shared.me,)
        new = replace(wanted, epoch=0, revision=0, owner="", guardians=claimed, previous=(), removed=False)
        return await _place_new(shared, new)
    changed = replace(as_wanted(known, wanted), removed=wanted.removed)
    if known.removed:
        return await _place_new(shared, changed, above=LIFETIME * (lifetime(known.epoch) + 1) - 1)
    if known.void:
        return await _place_new(shared, changed)
    owner = shared.member(known.owner)
    if owner is not None and not await _is_lost(shared, owner, known):
        return await _revise(shared, owner, changed)
    return await _bury(shared, changed) if changed.removed else await place(shared, changed)


async def _is_lost(shared: Shared, owner: Member, known: Record) -> bool:
    """Whether its owner forgot a task that nobody guards, who would find that out and place it anew."""
    if known.guardians or known.previous or owner.id == shared.me:
        return False
    try:
        if known.label in await shared.peers.records(owner):
            return False
        has = await shared.peers.find(owner, known.label)
    except Silent:
        return False
    return has is None or not beats(has, known, shared.view)  # it has moved it a moment ago


async def _place_new(shared: Shared, base: Record, *, above: int = 0) -> Placed | NotPlaced:
    """A new task that comes up nowhere is nowhere, or its guardians would go on to try it."""
    outcome = await place(shared, base, above=above)
    if isinstance(outcome, NotPlaced) and (given_up := outcome.given_up) is not None:
        void = replace(given_up, revision=given_up.revision + 1, settings={}, bundle=None, void=True)
        await tell(shared, void)
        await shared.take(void)
    return outcome


async def _revise(shared: Shared, owner: Member, changed: Record) -> Placed | NotPlaced:
    """By its owner, who moves it if it has no room for the change, or may not have it any more."""
    try:
        answer = await shared.peers.revise(owner, replace(changed, revision=changed.revision + 1))
    except Silent:
        return NotPlaced(f"its owner, host {owner.id}, does not answer; it may have changed it all the same")
    if isinstance(answer, Revised):
        return Placed(answer.record)
    newest = await find(shared, changed.label, owner.id)
    # A removal beats every change; here it is one that was made to a record that was not the newest one.
    is_newer = newest is not None and (newest.version > changed.version or beats(newest, changed, shared.view))
    return NotPlaced(answer.problem, newest if is_newer else None, answer.cause)


async def _bury(shared: Shared, gone: Record) -> Placed | NotPlaced:
    """A tombstone for a task whose owner is gone: under an epoch of its own, so that the owner finds it."""
    with shared.claiming(gone.label) as is_alone:
        if not is_alone:
            return NotPlaced("this host places it at this moment")
        got = await claim(shared, gone)
        if not isinstance(got, Claimed):
            return NotPlaced(got.problem, got.newer)
        record = following(shared, gone, got.epoch, gone.owner)
        told = await tell(shared, record)
        await shared.take(record)
    return Placed(record) if told.is_kept else NotPlaced(f"too few of {', '.join(union(record))} keep it", told.newer)
