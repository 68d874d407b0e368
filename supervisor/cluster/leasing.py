"""The owner of strict tasks asks for its leases again and again; without one a strict task does not run."""

from __future__ import annotations

from collections import defaultdict

from supervisor.cluster.guardians import quorums, union
from supervisor.cluster.shared import Shared
from supervisor.cluster.values import Leased, Member, Mode, Record, Version

# One guardian of three may for long not agree with the others: it promised an epoch that nobody used. What most of them
# say is enough; were it asked about after every lease, that would be every five seconds for ever.
DOUBT_WITHIN_S = 60.0
AGAIN_S = 5.0  # about one that has to wait: secure() waits longer and longer if that does not help


async def renew(shared: Shared, records: list[Record]) -> None:
    """Asks the guardians of strict tasks, each of them once for all of its tasks."""
    held: dict[str, dict[str, Version]] = defaultdict(dict)
    for record in records:
        for guardian in union(record):
            held[guardian][record.label] = record.version
    asked_at = shared.now
    for label, version in held.pop(shared.me, {}).items():
        _promise_itself(shared, label, version.epoch)
    answers = await shared.ask(held, lambda member: shared.peers.lease(member, shared.me, held[member.id]))
    for guardian, answer in answers.items():
        _note(shared, guardian, held[guardian], answer, asked_at)


def is_leased(shared: Shared, record: Record) -> bool:
    """Whether a task may run here as far as leases go."""
    if record.mode is not Mode.STRICT:
        return True
    if shared.leases.is_held_of_all(record.label, union(record), shared.now):
        return True  # the usual case, without counting
    return shared.leases.is_held(record.label, quorums(record, shared.view, shared.now, shared.rules), shared.now)


def may_run(shared: Shared, label: str) -> bool:
    """Whether this host owns the task and holds its lease, if it needs one."""
    record = shared.ledger.owns(label)
    if record is None or label in shared.offered or _is_barred(shared, record):
        return False
    return is_leased(shared, record)


def _is_barred(shared: Shared, record: Record) -> bool:
    since = shared.barred.get(record.label)
    if since is None:
        return False
    return record.mode is Mode.STRICT or shared.now - since < shared.rules.takeover_s


def _promise_itself(shared: Shared, label: str, epoch: int) -> None:
    """An owner that guards its task keeps to what it promised as a guardian, and promises nothing under its lease."""
    entry = shared.ledger.entry(label)
    if entry.promised > epoch and entry.claimant != shared.me:
        shared.doubt(label)
        return
    entry.leased_until = shared.now + shared.rules.lease_s
    entry.leased_to, entry.leased_epoch = shared.me, epoch
    shared.leases.renewed(label, shared.me, shared.now)


def _note(shared: Shared, guardian: str, held: dict[str, Version], answer: Leased, asked_at: float) -> None:
    for label in held:
        if label in shared.offered:
            continue  # it was asked for before
        if label in answer.renewed:
            shared.leases.renewed(label, guardian, asked_at)
            continue
        if label in answer.superseded:
            shared.leases.refused(label, guardian)
        if label not in shared.doubts:
            shared.doubt(label, DOUBT_WITHIN_S if may_run(shared, label) else AGAIN_S)


def sources(shared: Shared, record: Record, caller: str = "") -> list[Member]:
    """Hosts that may have the task's bundle: first of all, who sent the record."""
    hosts = dict.fromkeys((caller, record.owner, *union(record)))
    found = (shared.member(host) for host in hosts if host != shared.me)
    return [member for member in found if member is not None]
