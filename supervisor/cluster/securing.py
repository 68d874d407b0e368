"""An owner makes sure that its guardians know its tasks, and that the tasks are its own still.

Done for a task when it came, when it changed, when hosts came back (they may know a newer record), when other hosts
should guard it now, and every ten minutes or so in any case.
"""

from __future__ import annotations

from dataclasses import replace

from supervisor.cluster.claiming import Claimed, claim
from supervisor.cluster.guardians import chosen, regarded, settled, union
from supervisor.cluster.leasing import renew
from supervisor.cluster.placing import following
from supervisor.cluster.promises import as_wanted, beats, lifetime
from supervisor.cluster.shared import Shared
from supervisor.cluster.telling import Told, tell
from supervisor.cluster.values import Mode, Record

AGAIN_S = 5.0  # at least, after guardians were not reached
AGAIN_MOST_S = 60.0


async def secure(shared: Shared, label: str) -> bool:
    """Tells a task's guardians; gives the task up if there is a newer record. False: to be repeated later."""
    async with shared.turn(label):
        record = shared.ledger.record(label)
        if record is None or record.owner != shared.me:
            return True
        if record.removed:
            return await _bury(shared, record)
        record = _with_chosen_guardians(shared, record)
        told = await tell(shared, record)
        if told.newer is not None:
            await give_up(shared, told.newer)
            return True
        if label in shared.offered or (told.is_kept and shared.has_claimed_in_vain(record)):
            return await _reclaim(shared, record, told)
        if told.is_kept or record.mode is not Mode.STRICT:
            await _adopt(shared, record)
        if told.is_kept:
            shared.barred.pop(label, None)
            return await _settle(shared, record) if record.previous else told.is_heard
        if told.epoch > record.epoch:
            return await _reclaim(shared, record, told)
        return False


async def _bury(shared: Shared, tombstone: Record) -> bool:
    """Guardians that do not know that a task was removed would restart it."""
    told = await tell(shared, tombstone)
    if told.newer is not None:
        await shared.take(told.newer)
    return told.newer is not None or told.is_done


async def give_up(shared: Shared, newer: Record) -> None:
    """Lets a task go to the owner that `newer` names: exactly one copy stays. The caller has the task's turn.

    If it names none, the task did not come up there, and this host goes on with it, as it was changed meanwhile; if it
    was a new one, nobody had changed this one. If it is this host's own of the same epoch, this host tried it before it
    started again: what it has on its disk counts.
    """
    label, newer = newer.label, shared.as_known(newer)
    have = shared.ledger.record(label)
    if have is not None and beats(have, newer, shared.view):
        newer = have  # it was learnt while others were asked
    owned = shared.ledger.owns(label)
    if owned is not None and not newer.removed:
        if newer.owner == shared.me and newer.epoch == owned.epoch:
            get_beyond(shared, owned, newer.revision)
            return
        wanted = owned if newer.void else as_wanted(owned, newer)
        is_removed = newer.void and lifetime(newer.epoch) != lifetime(owned.epoch)
        may_stay = wanted.needs.hosts is None or shared.me in wanted.needs.hosts
        if not newer.owner and may_stay and not is_removed:
            await take_back(shared, wanted, newer)
            return
    if newer.owner != shared.me:
        shared.notice("superseded", {"label": label, "owner": newer.owner, "epoch": newer.epoch})
        if owned is not None:
            shared.scheduler.start(_tell_old_guardians(shared, owned, newer))
    await shared.ledger.put(newer, shared.now)
    if newer.owner != shared.me or newer.removed:
        await end_copy(shared, label)


def get_beyond(shared: Shared, owned: Record, seen: int) -> None:
    """Only the owner numbers revisions: one above its own it tried once, and forgot when it started again."""
    if seen > owned.revision:
        shared.tried[owned.label] = max(seen, shared.tried.get(owned.label, 0))
        shared.doubt(owned.label)


async def _tell_old_guardians(shared: Shared, owned: Record, newer: Record) -> None:
    """They believe this host, and would place the task anew when it does not have it any more."""
    others = [host for host in union(owned) if host not in union(newer) and host != shared.me]
    await shared.ask(others, lambda member: shared.peers.guard(member, newer))


async def take_back(shared: Shared, owned: Record, given_up: Record) -> None:
    """This host goes on with a task that it `owned`, and that came up nowhere else. The caller has the task's turn."""
    with shared.claiming(owned.label) as is_alone:
        if is_alone:
            await _take_back(shared, owned, given_up)
        else:
            shared.doubt(owned.label, AGAIN_S)


async def _take_back(shared: Shared, owned: Record, given_up: Record) -> None:
    got = await claim(shared, given_up)
    if not isinstance(got, Claimed):
        if got.newer is not None and got.newer.owner:
            await give_up(shared, got.newer)
        shared.doubt(owned.label, AGAIN_S)
        return
    record = following(
        shared, replace(owned, guardians=given_up.guardians, previous=given_up.previous), got.epoch, shared.me
    )
    have = shared.ledger.owns(record.label)
    is_changed = have is not None and as_wanted(have, record) != have
    await shared.ledger.put(record, shared.now)
    shared.offered.discard(record.label)
    shared.admission.insist(record.label, record.epoch, record.needs)
    if is_changed:
        shared.runs.discard(record.label)  # it is booted as it is now
    if record.mode is Mode.STRICT:
        await renew(shared, [record])
    shared.doubt(record.label)  # the guardians have to be told


async def end_copy(shared: Shared, label: str) -> None:
    """Ends this host's copy of a task; of one that is not its own any more, it keeps no room and no doubts."""
    shared.runs.discard(label)
    shared.leases.ended(label)
    shared.barred.pop(label, None)
    shared.offered.discard(label)
    if shared.ledger.owns(label) is None:
        shared.tried.pop(label, None)
        shared.inherited.pop(label, None)
        shared.doubts.drop(label)
    await shared.local.stop(label)
    if shared.ledger.owns(label) is None and label not in shared.boots:
        shared.admission.release(label)


def _with_chosen_guardians(shared: Shared, record: Record) -> Record:
    wanted = chosen(record.label, shared.view, shared.order, shared.rules, owner=shared.me)
    tried = shared.tried.get(record.label, 0)
    if wanted != record.guardians:
        return replace(regarded(record, wanted), revision=shared.next_revision(record))
    if tried <= record.revision:
        return record
    # What was tried may not stay the newest revision there is when the guardians are those of before again: users'
    # changes would be made to it, and be refused for ever.
    return replace(record, revision=shared.next_revision(record))


async def _adopt(shared: Shared, record: Record) -> None:
    """Makes it this host's record; a strict one when its new guardians gave their leases, so that it need not stop."""
    have = shared.ledger.owns(record.label)
    if have is None or have == record:
        return
    if record.mode is Mode.STRICT:
        await renew(shared, [record])
    if shared.ledger.owns(record.label) == have:
        await shared.ledger.put(record, shared.now)
    shared.tried.pop(record.label, None)


async def _settle(shared: Shared, record: Record) -> bool:
    """Most old and new guardians know each other's names: the old ones are let go, and told so."""
    final = replace(settled(record), revision=shared.next_revision(record))
    await shared.ledger.put(final, shared.now)
    told = await tell(shared, final, and_to=record.previous)
    if told.newer is not None:
        await give_up(shared, told.newer)
        return True
    return told.is_done


async def _reclaim(shared: Shared, record: Record, told: Told) -> bool:
    """Guardians promised a newer epoch that nobody uses, or may use yet: the owner takes one above it for itself."""
    with shared.claiming(record.label) as is_alone:
        return is_alone and await _claim_anew(shared, record, told)


async def _claim_anew(shared: Shared, record: Record, told: Told) -> bool:
    got = await claim(shared, record, above=told.epoch)
    if not isinstance(got, Claimed):
        if got.newer is not None:
            await give_up(shared, got.newer)
        return got.newer is not None
    record = replace(record, epoch=got.epoch, revision=1)
    await shared.ledger.put(record, shared.now)
    shared.offered.discard(record.label)
    shared.admission.insist(record.label, record.epoch, record.needs)
    shared.doubt(record.label)  # the guardians have to be told
    return False
