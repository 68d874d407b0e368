"""What each part of the network sees of the hosts, and how late: a model of the membership engine's measured times.

Each side of the network has a history of views. A host reads its side's history with a delay of its own. Detection
times are those measured with the real engine: see ARCHITECTURE.md.
"""

from __future__ import annotations

import heapq
import random
from dataclasses import replace

from supervisor.cluster.values import Member, MemberState
from supervisor.cluster.view import View
from tools.simulating.network import Network

SPREAD_S = (0.2, 1.0)  # of a join, a goodbye or a tag
FAILURE_S = (6.0, 11.0)  # a host that crashed
CUT_S = (18.0, 29.0)  # hosts behind a partition
HEAL_S = (1.6, 15.0)
REMEMBERED = 16  # views of a side's past


class _Side:
    def __init__(self, seen: dict[str, Member], now: float) -> None:
        self.seen = seen
        self.due: list[tuple[float, int, str]] = []
        self.history: list[tuple[float, View]] = [(now, View(seen.values()))]


class Gossip:
    """All sides. Nothing happens but in `spread()`, which is called twice a second."""

    def __init__(self, network: Network, chance: random.Random) -> None:
        self._network = network
        self._chance = chance
        self._truth: dict[str, Member] = {}
        self._sides: dict[int, _Side] = {0: _Side({}, network.time.now)}
        self._number = 0
        self.has_news = False  # for some of the hosts, since somebody last set it to False

    def publish(self, member: Member) -> None:
        """A host says this about itself, or its life has ended by LEFT."""
        self._truth[member.id] = member
        for number in self._sides:
            if self._hears(number, member.id):
                self._later(number, member.id, SPREAD_S)

    def crashed(self, host: str) -> None:
        """A host does not answer any more."""
        self._truth[host] = replace(self._truth[host], alive=MemberState.FAILED)
        for number in self._sides:
            self._later(number, host, FAILURE_S)

    def begin_side(self, hosts: list[str]) -> int:
        """A new part of the network; before its hosts are moved to it. Each is to the others as it was to itself."""
        number = max(self._sides) + 1
        seen = dict(self._seen_by(hosts[0])) if hosts else {}
        for host in hosts:
            if (itself := self._seen_by(host).get(host)) is not None:
                seen[host] = itself
        self._sides[number] = _Side(seen, self._network.time.now)
        return number

    def split(self) -> None:
        """The network's sides or cuts have changed."""
        used = {0, *self._network.sides.values()}
        self._sides = {number: side for number, side in self._sides.items() if number in used}
        for number in self._sides:
            for host in self._truth:
                self._later(number, host, HEAL_S if self._hears(number, host) else CUT_S)
        self.has_news = True

    def spread(self) -> None:
        """Lets every side learn what it is due to learn."""
        now = self._network.time.now
        for number, side in self._sides.items():
            news = set()
            while side.due and side.due[0][0] <= now:
                news.add(heapq.heappop(side.due)[2])
            if sum(self._learn(number, side, host, now) for host in sorted(news)):
                side.history.append((now, View(side.seen.values())))
                del side.history[:-REMEMBERED]
                self.has_news = True

    def view(self, host: str, lag_s: float) -> View:
        """What a host knows whose news are that old."""
        history = self._sides[self._network.sides.get(host, 0)].history
        until = self._network.time.now - lag_s
        for moment, view in reversed(history):
            if moment <= until:
                return view
        return history[0][1]

    def latest(self, host: str) -> View:
        """What a host will know when it has heard everything."""
        return self._sides[self._network.sides.get(host, 0)].history[-1][1]

    def _learn(self, number: int, side: _Side, host: str, now: float) -> bool:
        truth, seen = self._truth[host], side.seen.get(host)
        if self._hears(number, host):
            news = truth
        elif seen is None or seen.alive is not MemberState.ALIVE:
            return False
        else:
            news = replace(seen, alive=MemberState.FAILED)
        since = now if seen is None or seen.alive is not news.alive else seen.since
        news = replace(news, since=since)
        side.seen[host] = news
        return news != seen

    def _seen_by(self, host: str) -> dict[str, Member]:
        return self._sides[self._network.sides.get(host, 0)].seen

    def _hears(self, number: int, host: str) -> bool:
        return self._network.hears(number, self._network.sides.get(host, 0))

    def _later(self, number: int, host: str, within: tuple[float, float]) -> None:
        self._number += 1
        moment = self._network.time.now + self._chance.uniform(*within)
        heapq.heappush(self._sides[number].due, (moment, self._number, host))
