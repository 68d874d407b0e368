"""Which hosts keep the records of a task: highest random weight, so that one host more or less moves only its own.

Tasks fall into 1,024 groups, and each group has its own order of all hosts: SHA-256 of group and host id. So a host
with thousands of tasks sorts at most 1,024 orders, and tasks of one group share their guardians' calls.
"""

from __future__ import annotations

import hashlib
from array import array
from bisect import bisect_left
from collections.abc import Collection

GROUPS = 1024
LEARNT = 64


def group_of(label: str) -> int:
    """The group that a task falls into."""
    return int.from_bytes(hashlib.sha256(label.encode()).digest()[:8]) % GROUPS


class Rendezvous:
    """The orders of all hosts that were ever seen; any number of observers may share one."""

    def __init__(self) -> None:
        self._hosts: dict[str, None] = {}
        self._learnt: dict[int, Collection[str]] = {}  # the latest sets of hosts that were asked about
        self._orders: dict[int, tuple[array[int], list[str]]] = {}

    def first(self, group: int, among: Collection[str], count: int, *, without: str = "") -> tuple[str, ...]:
        """The first `count` hosts of a group's order that are `among` those, and not `without`."""
        self._learn(among)
        found: list[str] = []
        for host in self._order(group):
            if host in among and host != without:
                found.append(host)
                if len(found) == count:
                    break
        return tuple(found)

    def _learn(self, among: Collection[str]) -> None:
        if self._learnt.get(id(among)) is among:
            return
        if len(self._learnt) >= LEARNT:
            self._learnt.clear()
        self._learnt[id(among)] = among
        for host in among:
            if host not in self._hosts:
                self._hosts[host] = None
                for group, order in self._orders.items():
                    _insert(order, group, host)

    def _order(self, group: int) -> list[str]:
        order = self._orders.get(group)
        if order is None:
            weighed = sorted((_weight(group, host), host) for host in self._hosts)
            order = (array("Q", [weight for weight, _ in weighed]), [host for _, host in weighed])
            self._orders[group] = order
        return order[1]


def _insert(order: tuple[array[int], list[str]], group: int, host: str) -> None:
    weights, hosts = order
    weight = _weight(group, host)
    at = bisect_left(weights, weight)
    weights.insert(at, weight)
    hosts.insert(at, host)


def _weight(group: int, host: str) -> int:
    return int.from_bytes(hashlib.sha256(b"%d|%s" % (group, host.encode())).digest()[:8])
