"""Which hosts are asked to take a task, in which order.

Hosts that are alive, up and say that they have room, newest boot first, ties by id; at most 8 are asked. A host that
said "full" is left out for 3 s. A task that names hosts or cores goes nowhere else: the hosts are compared here, the
cores by the host that admits. Only the admission at the host itself is the truth; this is only an order.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from itertools import islice

from supervisor.cluster.rules import Rules
from supervisor.cluster.values import Member, Needs
from supervisor.cluster.view import View


class FullMarks:
    """Remembers for 3 s which hosts said that they are full."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self._until: dict[str, float] = {}

    def mark(self, host: str, now: float) -> None:
        """It said so just now."""
        self._until[host] = now + self._rules.full_s

    def is_full(self, host: str, now: float) -> bool:
        """Whether it said so lately."""
        until = self._until.get(host)
        if until is not None and now >= until:
            del self._until[host]
            return False
        return until is not None


def candidates(
    view: View, needs: Needs, *, full: FullMarks, now: float, without: Collection[str], rules: Rules
) -> Iterator[Member]:
    """The hosts to ask, best first; lazily, so that marks that are made meanwhile count."""
    return islice(_fitting(view, needs, full, now, without), rules.tries)


def _fitting(view: View, needs: Needs, full: FullMarks, now: float, without: Collection[str]) -> Iterator[Member]:
    # A host that a task names is asked even if it says that it has no room: that is about new work of any kind.
    for member in view.with_room if needs.hosts is None else view.up:
        if member.id in without or full.is_full(member.id, now):
            continue
        if needs.hosts is None or member.id in needs.hosts:
            yield member
