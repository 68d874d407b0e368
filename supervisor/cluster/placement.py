"""Which hosts are asked to take a task, in which order.

Hosts that are alive, up and say that they have room, newest boot first, ties by id; at most 8 are asked: the newest
four, then some further and further back, since in a rush of work the newest hosts are full before anybody has heard of
it. A host that said "full" is left out for 3 s. A task that names hosts or cores goes nowhere else: the hosts are
compared here, the cores by the host that admits. Only the admission at the host itself is the truth.
"""

from __future__ import annotations

from collections.abc import Collection

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
) -> list[Member]:
    """The hosts to ask, in this order."""
    # A host that a task names is asked even if it says that it has no room: that is about new work of any kind.
    hosts = view.with_room if needs.hosts is None else view.up
    fitting = [
        member
        for member in hosts
        if member.id not in without
        and not full.is_full(member.id, now)
        and (needs.hosts is None or member.id in needs.hosts)
    ]
    return [fitting[place] for place in places(len(fitting), rules.tries)]


def places(count: int, tries: int) -> list[int]:
    """Which of `count` hosts are asked: half of the tries go to the newest, the rest further and further back."""
    if count <= tries:
        return list(range(count))
    near = tries // 2
    far = tries - near
    steps = [near * ((count - 1) / near) ** (step / max(1, far - 1)) for step in range(far)]
    return [*range(near), *(max(near + at, int(step)) for at, step in enumerate(steps))]
