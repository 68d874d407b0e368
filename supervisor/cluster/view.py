"""Who is there, as this host knows it: a value; a newer one takes its place when something changed.

Several observers may share one view, so what is derived from it is computed once.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache

from supervisor.cluster.values import HostState, Member, MemberState


class View:
    """All members that are known, by id."""

    def __init__(self, members: Iterable[Member] = (), ended: Collection[str] = ()) -> None:
        """`ended`: ids of hosts that will not come back, as an operator said."""
        self.members: Mapping[str, Member] = {member.id: member for member in members}
        self.ended = frozenset(ended)

    def get(self, host: str) -> Member | None:
        """The member of that id, if it is known."""
        return self.members.get(host)

    def is_alive(self, host: str) -> bool:
        """Whether that host is a member and alive."""
        member = self.members.get(host)
        return member is not None and member.alive is MemberState.ALIVE

    @cached_property
    def alive(self) -> tuple[Member, ...]:
        """The hosts that are alive, newest first."""
        return tuple(sorted((m for m in self.members.values() if m.alive is MemberState.ALIVE), key=newest_first))

    @cached_property
    def up(self) -> tuple[Member, ...]:
        """The hosts that take part in full, newest first."""
        return tuple(member for member in self.alive if is_up(member))

    @cached_property
    def rank(self) -> Mapping[str, int]:
        """How many of the hosts that take part in full are newer than each of them."""
        return {member.id: rank for rank, member in enumerate(self.up)}

    @cached_property
    def with_room(self) -> tuple[Member, ...]:
        """The hosts that say that they have room, newest first."""
        return tuple(member for member in self.up if member.room)

    @cached_property
    def guarding(self) -> frozenset[str]:
        """Ids of the hosts that may be guardians: alive, and not about to go."""
        return frozenset(member.id for member in self.alive if member.state is not HostState.DRAINING)

    @cached_property
    def failed(self) -> tuple[Member, ...]:
        """The hosts that do not answer."""
        return tuple(member for member in self.members.values() if member.alive is MemberState.FAILED)

    @cached_property
    def left(self) -> tuple[Member, ...]:
        """The hosts that said goodbye."""
        return tuple(member for member in self.members.values() if member.alive is MemberState.LEFT)

    @cached_property
    def gone(self) -> frozenset[str]:
        """Ids of the hosts that failed or left."""
        return frozenset(member.id for member in (*self.failed, *self.left))

    @cached_property
    def draining(self) -> frozenset[str]:
        """Ids of the hosts that are alive and drain."""
        return frozenset(member.id for member in self.alive if member.state is HostState.DRAINING)

    @cached_property
    def expected_ids(self) -> frozenset[str]:
        """Ids of the hosts that should be there: all that have not said goodbye."""
        return frozenset(member.id for member in (*self.alive, *self.failed))

    @property
    def expected(self) -> int:
        """How many those are."""
        return len(self.expected_ids)

    @property
    def has_majority(self) -> bool:
        """Whether more than half of the hosts that should be there are alive."""
        return 2 * len(self.alive) > self.expected


def is_up(member: Member) -> bool:
    """Whether a host takes part in full."""
    return member.alive is MemberState.ALIVE and member.state is HostState.UP


def newest_first(member: Member) -> tuple[float, str]:
    """Sorts hosts: who booted last comes first, ties by id."""
    return -member.boot_time, member.id


@dataclass(frozen=True, slots=True)
class Changes:
    """What happened between two views: ids."""

    came: frozenset[str]  # alive now and not before, or booted since
    went: frozenset[str]  # alive before and not now


@lru_cache(maxsize=256)
def changes(before: View, after: View) -> Changes:
    """Compares two views; observers who share them share the result."""
    came = (member.id for member in after.alive if _is_news(before.members.get(member.id), member))
    went = (member.id for member in before.alive if not after.is_alive(member.id))
    return Changes(frozenset(came), frozenset(went))


def _is_news(before: Member | None, now: Member) -> bool:
    return before is None or before.alive is not MemberState.ALIVE or before.boot_time != now.boot_time
