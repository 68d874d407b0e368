"""Who guards a task, and how many of them have to agree.

The guardians of a task are the first k=3 hosts of its group's order that are alive and not draining, without its
owner; in smaller clusters all others; a host alone has none. They stand in the record. They change in
two steps, so that two majorities always share a host: first a record that names the new ones and the previous ones,
for which most of both have to agree, then, when most of both have it, one that names the new ones only.

A strict task whose record names none is guarded by its owner: an empty set would let anybody have it for nothing. Other
hosts then need that one's word, whether they come to guard the task or to take it.

Who claims an epoch needs more than half of a set, so no two can. For the owner, which keeps an epoch that it has, half
is enough: each claim then asks somebody who says no. So of three hosts, of which two guard, any one may die. But an
owner that moves its task claims for another one, and to that claim its own guardians say yes. So the first record of
an epoch needs more than half of the guardians before, too: fewer than half are left to uphold the owner before.

For a task that rather runs twice than never, whoever said goodbye is not counted, and neither is who has been failed
for the grace, if this host sees more than half of all hosts: or else three dead hosts would lose a task for ever. For
a strict one both are: two that are gone may be the only ones that promised an epoch which the third knows nothing of.
So is one that this host has never heard of: it may have joined beyond a partition.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from supervisor.cluster.rendezvous import Rendezvous, group_of
from supervisor.cluster.rules import Rules
from supervisor.cluster.values import MemberState, Mode, Record
from supervisor.cluster.view import View


def chosen(label: str, view: View, order: Rendezvous, rules: Rules, *, owner: str) -> tuple[str, ...]:
    """The hosts that should guard a task now."""
    return order.first(group_of(label), view.guarding, rules.guardians, without=owner)


def first_claimed(label: str, view: View, order: Rendezvous, rules: Rules, *, mode: Mode) -> tuple[str, ...]:
    """Whom to ask for the first epoch of a task: one more, since one of them may become the owner.

    For a strict task hosts that failed are among them: or else each side of a partition would have its own.
    """
    among = view.guarding if mode is Mode.BEST_EFFORT else view.expected_ids
    return order.first(group_of(label), among, rules.guardians + 1)


def regarded(record: Record, wanted: tuple[str, ...]) -> Record:
    """The next revision of `record`, under way to the guardians `wanted`.

    A change that was under way is given up; both share the guardians before them, so nobody can miss either.
    """
    return replace(record, revision=record.revision + 1, guardians=wanted, previous=before(record))


def settled(record: Record) -> Record:
    """The next revision of `record`, whose guardians know of it: the previous ones are let go."""
    return replace(record, revision=record.revision + 1, previous=())


def named(record: Record) -> tuple[str, ...]:
    """The guardians that `record` names; of a strict task that has none, its owner."""
    if record.guardians or record.mode is not Mode.STRICT or not record.owner:
        return record.guardians
    return (record.owner,)


def before(record: Record) -> tuple[str, ...]:
    """Whom the record after `record` names as the guardians before: those of the latest one that is settled."""
    return record.previous or named(record)


def union(record: Record) -> tuple[str, ...]:
    """All that guard it now, or did until the change that is under way."""
    return tuple(dict.fromkeys((*named(record), *record.previous)))


def quorums(record: Record, view: View, now: float, rules: Rules) -> tuple[tuple[str, ...], ...]:
    """The sets of hosts of each of which most must agree; an empty set always does."""
    return tuple(
        tuple(host for host in group if counts(host, record.mode, view, now, rules))
        for group in (named(record), record.previous)
    )


def counts(host: str, mode: Mode, view: View, now: float, rules: Rules) -> bool:
    """Whether a guardian's silence counts as a no."""
    member = view.get(host)
    if member is None:
        return mode is Mode.STRICT and host not in view.ended
    if member.alive is MemberState.ALIVE or mode is Mode.STRICT:
        return True
    if member.alive is MemberState.LEFT:
        return False
    return not (view.has_majority and now - member.since > rules.grace_s)


def agreed(sets: tuple[tuple[str, ...], ...], yes: Collection[str]) -> bool:
    """Whether more than half of each set said yes: whoever asked may have the epoch."""
    return all(not group or 2 * sum(host in yes for host in group) > len(group) for group in sets)


def upheld(sets: tuple[tuple[str, ...], ...], yes: Collection[str]) -> bool:
    """Whether half of each set said yes to the owner: it keeps the epoch that it has."""
    return all(2 * sum(host in yes for host in group) >= len(group) for group in sets)
