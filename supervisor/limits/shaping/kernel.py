"""Qdiscs, classes and interfaces of this network namespace, through pyroute2. Errors of the kernel are OSError."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pyroute2 import IPRoute
from pyroute2.netlink.exceptions import NetlinkError

from supervisor.limits.shaping.carriers import Interface
from supervisor.limits.shaping.handles import MARK, ROOT, Pace, minor_of
from supervisor.limits.shaping.values import EgressUsage

_TC_ROOT = 0xFFFFFFFF
_UP, _LOOPBACK = 0x1, 0x8  # netdevice(7)


@dataclass(frozen=True, slots=True)
class Root:
    """What decides the order of an interface's packets."""

    kind: str
    handle: int
    ours: bool

    @property
    def is_default(self) -> bool:
        """Whether the kernel put it there by itself: such have no number."""
        return self.handle == 0

    def __str__(self) -> str:
        return f"{self.kind} {self.handle >> 16:x}:"


class Kernel:
    """One thread, the one that made it: not that of a running event loop, which pyroute2 would get in the way of."""

    def __init__(self) -> None:
        self._ip = IPRoute()

    def close(self) -> None:
        """Closes the socket."""
        self._ip.close()

    def interfaces(self) -> list[Interface]:
        """All of them."""
        addresses = defaultdict(set)
        for each in self._ip.get_addr():
            text = each.get_attr("IFA_LOCAL") or each.get_attr("IFA_ADDRESS")
            if text:
                addresses[each["index"]].add(str(text))
        outward = {
            index
            for each in self._ip.get_routes(table=254)  # main
            if each["dst_len"] == 0 and (index := each.get_attr("RTA_OIF"))
        }
        return [
            Interface(
                index=each["index"],
                name=each.get_attr("IFLA_IFNAME"),
                up=bool(each["flags"] & _UP),
                loopback=bool(each["flags"] & _LOOPBACK),
                addresses=frozenset(addresses[each["index"]]),
                outward=each["index"] in outward,
            )
            for each in self._ip.get_links()
        ]

    def roots(self) -> dict[int, Root]:
        """The root qdisc of each interface, by the interface's index."""
        return {each["index"]: _root(each) for each in self._ip.tc("dump") if each["parent"] == _TC_ROOT}

    def add_root(self, interface: int) -> None:
        """Ours in place of the kernel's own. FileExistsError if somebody set another."""
        self._ask("add", "htb", interface, ROOT, default=0, r2q=MARK)

    def delete_root(self, interface: int, handle: int = ROOT) -> None:
        """The kernel puts its own there again."""
        self._ask("del", index=interface, handle=handle, parent=_TC_ROOT)

    def classes(self, interface: int) -> dict[int, EgressUsage]:
        """Our classes there, by number, with what they have sent."""
        found = {}
        for each in self._ip.get_classes(interface):
            minor = minor_of(each["handle"])
            if minor is not None:
                found[minor] = _usage(each)
        return found

    def add_class(self, interface: int, minor: int, pace: Pace) -> None:
        """FileExistsError if there is one of the number; FileNotFoundError if the root is not ours."""
        self._class("add-class", interface, minor, pace)

    def change_class(self, interface: int, minor: int, pace: Pace) -> None:
        """Holds from the next packet on. FileNotFoundError."""
        self._class("change-class", interface, minor, pace)

    def delete_class(self, interface: int, minor: int) -> None:
        """What is sent with its priority is not slowed any more. FileNotFoundError."""
        self._ask("del-class", index=interface, handle=ROOT | minor)

    def _class(self, command: str, interface: int, minor: int, pace: Pace) -> None:
        self._ask(
            command, "htb", interface, ROOT | minor, parent=ROOT,
            rate=pace.rate, burst=pace.burst, cburst=pace.burst, quantum=pace.quantum,
        )  # fmt: skip

    def _ask(self, command: str, *what: Any, **settings: Any) -> None:
        _told(lambda: self._ip.tc(command, *what, **settings))


def _told(ask: Callable[[], Any]) -> None:
    try:
        ask()
    except NetlinkError as error:
        raise OSError(error.code, os.strerror(error.code)) from error


def _root(message: Any) -> Root:
    kind, handle = message.get_attr("TCA_KIND"), message["handle"]
    settings = message.get_attr("TCA_OPTIONS") if kind == "htb" else None
    mark = settings.get_attr("TCA_HTB_INIT")["rate2quantum"] if settings is not None else 0
    return Root(kind, handle, ours=handle == ROOT and mark == MARK)


def _usage(message: Any) -> EgressUsage:
    figures = message.get_attr("TCA_STATS2")
    basic, queue = figures.get_attr("TCA_STATS_BASIC"), figures.get_attr("TCA_STATS_QUEUE")
    return EgressUsage(basic["bytes"], basic["packets"], queue["drops"], queue["overlimits"])
