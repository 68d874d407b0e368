"""The owner of strict tasks asks for its leases again and again, and stops a copy whose lease is over.

Every tick: whatever runs here and is not this host's ends; whatever is this host's and does not run boots, a strict
task only under a lease.
"""

from __future__ import annotations

from collections import defaultdict

from supervisor.cluster.guardians import quorums, union
from supervisor.cluster.ports import BootFailed
from supervisor.cluster.securing import end_copy
from supervisor.cluster.shared import Shared
from supervisor.cluster.values import Leased, Member, Mode, Record, Version


async def renew(shared: Shared, records: list[Record]) -> None:
    """Asks the guardians of strict tasks, each of them once for all of its tasks."""
    held: dict[str, dict[str, Version]] = defaultdict(dict)
    for record in records:
        for guardian in union(record):
            held[guardian][record.label] = record.version
    asked_at = shared.now
    for label in held.pop(shared.me, {}):
        shared.leases.renewed(label, shared.me, asked_at)
    answers = await shared.ask(held, lambda member: shared.peers.lease(member, shared.me, held[member.id]))
    for guardian, answer in answers.items():
        _note(shared, guardian, held[guardian], answer, asked_at)


def is_leased(shared: Shared, record: Record) -> bool:
    """Whether a task may run here as far as leases go."""
    if record.mode is not Mode.STRICT:
        return True
    return shared.leases.is_held(record.label, quorums(record, shared.view, shared.now, shared.rules), shared.now)


async def put_right(shared: Shared) -> None:
    """Ends what may not run here, and boots what should."""
    owned = shared.ledger.labels_of(shared.me)
    suspects = (shared.runs - owned) | (shared.runs & shared.ledger.strict)
    wrong = sorted(label for label in suspects if not may_run(shared, label))
    missing = sorted(label for label in owned - shared.runs if may_run(shared, label))
    await shared.scheduler.together(*(_end(shared, label) for label in wrong))
    await shared.scheduler.together(*(_boot(shared, label) for label in missing[: shared.rules.restarts]))


def may_run(shared: Shared, label: str) -> bool:
    """Whether this host owns the task and holds its lease, if it needs one."""
    record = shared.ledger.owns(label)
    return record is not None and label not in shared.barred and is_leased(shared, record)


def _note(shared: Shared, guardian: str, held: dict[str, Version], answer: Leased, asked_at: float) -> None:
    for label in held:
        if label in answer.renewed:
            shared.leases.renewed(label, guardian, asked_at)
        else:
            shared.doubt(label)


async def _end(shared: Shared, label: str) -> None:
    async with shared.turn(label):
        if label in shared.runs and not may_run(shared, label):
            await end_copy(shared, label)


async def _boot(shared: Shared, label: str) -> None:
    async with shared.turn(label):
        record = shared.ledger.owns(label)
        if record is None or label in shared.runs or not may_run(shared, label):
            return
        shared.admission.insist(label, record.epoch, record.needs)
        try:
            await shared.local.boot(record, sources(shared, record))
        except BootFailed as problem:
            shared.notice("boot-failed", {"label": label, "problem": str(problem)})
            return
        shared.runs.add(label)


def sources(shared: Shared, record: Record) -> list[Member]:
    """Hosts that may have the task's bundle."""
    found = (shared.member(host) for host in (record.owner, *union(record)) if host != shared.me)
    return [member for member in found if member is not None]
