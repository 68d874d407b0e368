"""Where a task's record is, and what to do that it can be found: its group's first hosts are asked and told."""

from __future__ import annotations

from supervisor.cluster.promises import beats, lifetime
from supervisor.cluster.rendezvous import group_of
from supervisor.cluster.shared import Shared
from supervisor.cluster.values import Record

TOLD_AT_A_TIME = 16


def likely(shared: Shared, label: str) -> tuple[str, ...]:
    """The hosts that know a task, or know that it was removed: its guardians, and two in case some are new at it."""
    return shared.order.first(group_of(label), shared.view.guarding, shared.rules.guardians + 2)


async def find(shared: Shared, label: str, *others: str) -> Record | None:
    """The newest record that this host, a task's likely guardians and `others` have."""
    asked = dict.fromkeys((*likely(shared, label), *others))
    answers = await shared.ask(asked, lambda member: shared.peers.find(member, label))
    newest = shared.ledger.record(label)
    for record in answers.values():
        if record is not None and (newest is None or _is_better(shared, record, newest)):
            newest = record
    return newest


def _is_better(shared: Shared, record: Record, than: Record) -> bool:
    """A new task that came up nowhere may have been applied with success beyond a partition."""
    there_is = than if record.void else record
    if record.void != than.void and there_is.owner and lifetime(record.epoch) == lifetime(than.epoch):
        return there_is is record
    return beats(record, than, shared.view)


async def is_unknown(shared: Shared, label: str) -> bool:
    """Whether most of the hosts that would know a task say that they do not; silent and failed ones may know it."""
    among = shared.view.expected_ids | {shared.me}
    asked = shared.order.first(group_of(label), among, shared.rules.guardians + 2)
    answers = await shared.ask(asked, lambda member: shared.peers.find(member, label))
    return 2 * sum(record is None for record in answers.values()) > len(asked)


async def pass_on_tombstones(shared: Shared) -> None:
    """Tells the other hosts what was removed, before this one goes: nobody may restart it from an old record."""
    removed = list(shared.ledger.tombstones())
    for start in range(0, len(removed), TOLD_AT_A_TIME):
        await shared.scheduler.together(*(_pass_on(shared, each) for each in removed[start : start + TOLD_AT_A_TIME]))


async def _pass_on(shared: Shared, record: Record) -> None:
    others = [host for host in likely(shared, record.label) if host != shared.me]
    await shared.ask(others, lambda member: shared.peers.guard(member, record))
