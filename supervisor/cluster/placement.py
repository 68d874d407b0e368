"""Which hosts are asked to take a task, in which order.

Hosts that are alive, up and say that they have room, newest boot first, ties by id; at most 8 are asked: the newest
four, then any further and further back, since in a rush of work the newest hosts are full before anybody has heard of
it. A host that had too little, or did not answer, is left out for 3 s. A task that names hosts or cores goes nowhere
else: the hosts are compared here, the cores by the host that admits. Only the admission at the host is the truth.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from itertools import islice

from supervisor.cluster.ports import Chance
from supervisor.cluster.room import lack
from supervisor.cluster.rules import Rules
from supervisor.cluster.values import Capacity, Member, Needs
from supervisor.cluster.view import View

SILENT = "it does not answer"


class FullMarks:
    """Remembers for 3 s which hosts took nothing, and what they had left: a task that needs less is another matter."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self._until: dict[str, tuple[float, Capacity | None]] = {}

    def mark(self, host: str, now: float, free: Capacity | None) -> None:
        """It said just now that so much is left; None: it did not answer."""
        self._until[host] = now + self._rules.full_s, free

    def why_not(self, host: str, needs: Needs, now: float) -> str | None:
        """Why it would not take so much, in words; None: as far as is known it would."""
        until, free = self._until.get(host, (now, None))
        if now >= until:
            self._until.pop(host, None)
            return None
        return SILENT if free is None else lack(needs, free)

    def lately(self, needs: Needs, now: float) -> dict[str, str]:
        """All hosts that would not, and why."""
        found = {host: self.why_not(host, needs, now) for host in list(self._until)}
        return {host: why for host, why in found.items() if why is not None}


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
        return member.id not in without and full.why_not(member.id, needs, now) is None

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
