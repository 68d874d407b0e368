"""Which hosts are asked to take a task, in which order.

Hosts that are alive, up and say that they have room, newest boot first, ties by id; at most 8 are asked: the newest
four, then any further and further back, since in a rush of work the newest hosts are full before anybody has heard of
it. A host that said "full", or nothing, is left out for 3 s. A task that names hosts or cores goes nowhere else: the
hosts are compared here, the cores by the host that admits. Only the admission at the host itself is the truth.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from itertools import islice

from supervisor.cluster.ports import Chance
from supervisor.cluster.rules import Rules
from supervisor.cluster.values import Member, Needs
from supervisor.cluster.view import View


class FullMarks:
    """Remembers for 3 s which hosts took nothing, and why."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self._until: dict[str, tuple[float, str]] = {}

    def mark(self, host: str, now: float, why: str) -> None:
        """It said so just now, or did not answer."""
        self._until[host] = now + self._rules.full_s, why

    def is_full(self, host: str, now: float) -> bool:
        """Whether that was lately."""
        marked = self._until.get(host)
        if marked is not None and now >= marked[0]:
            del self._until[host]
            return False
        return marked is not None

    def lately(self, now: float) -> dict[str, str]:
        """All of them, with what there was, in words."""
        return {host: why for host, (until, why) in self._until.items() if now < until}


def candidates(
    view: View,
    needs: Needs,
    *,
    full: FullMarks,
    now: float,
    without: Collection[str],
    rules: Rules,
    chance: Chance,
) -> list[Member]:
    """The hosts to ask, in this order."""
    # A host that a task names is asked even if it says that it has no room: that is about new work of any kind.
    hosts = view.with_room if needs.hosts is None else [each for each in view.up if each.id in needs.hosts]

    def fits(member: Member) -> bool:
        return member.id not in without and not full.is_full(member.id, now)

    near = rules.tries // 2
    found = list(islice(filter(fits, hosts), near))
    if len(found) == near:
        first = hosts.index(found[-1]) + 1
        rest = hosts[first:] if len(hosts) - first <= rules.tries - near else _spread(hosts, first, rules.tries, chance)
        found += filter(fits, rest)
    return found[: rules.tries]


def _spread(hosts: Sequence[Member], first: int, tries: int, chance: Chance) -> Iterator[Member]:
    """One host of each stretch of those from `first` on, each longer than the one before."""
    count, stretches = len(hosts) - first, tries - tries // 2
    edges = [int(count ** (step / stretches)) for step in range(stretches + 1)]
    at = -1
    for edge in edges[1:]:
        at = chance.randint(at + 1, max(at + 1, edge - 1))
        if at < count:
            yield hosts[first + at]
