"""Which interfaces carry what is sent from an address. Pure."""

from __future__ import annotations

import ipaddress
from collections.abc import Collection, Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Interface:
    """One of the machine's, as it is now."""

    index: int
    name: str
    up: bool
    loopback: bool
    addresses: frozenset[str]  # without prefix lengths and scopes
    outward: bool = False  # whether a default route leads out by it


def carriers(addresses: Collection[str], interfaces: Iterable[Interface]) -> list[Interface]:
    """The interfaces by which answers from `addresses` leave, by name.

    Those that have the address, and those of default routes: a client that is not of the interface's own net is
    answered by them. Clients on the machine itself reach every address by way of loopback, which counts only for
    addresses of its own and for 'any'.
    """
    up = [each for each in interfaces if each.up and each.addresses]
    chosen: dict[int, Interface] = {}
    for text in addresses:
        chosen.update((each.index, each) for each in _of(ipaddress.ip_address(text.partition("%")[0]), up))
    return sorted(chosen.values(), key=lambda each: each.name)


def passing_by(
    addresses: Collection[str], interfaces: Collection[Interface], names: Collection[str]
) -> dict[str, list[str]]:
    """Which of `addresses` answer by none of the interfaces `names`, and by which others.

    One that stands for all addresses is none of them: it answers by the named ones, too.
    """
    found = {}
    for text in sorted(addresses):
        by = [each.name for each in carriers([text], interfaces)]
        if by and not _is_any(text) and not set(names).intersection(by):
            found[text] = by
    return found


def _is_any(text: str) -> bool:
    return ipaddress.ip_address(text.partition("%")[0]).is_unspecified


def _of(address: ipaddress.IPv4Address | ipaddress.IPv6Address, up: list[Interface]) -> list[Interface]:
    if address.is_loopback:
        return [each for each in up if each.loopback]
    having = [each for each in up if str(address) in each.addresses]
    if address.is_unspecified or not having:
        return up
    return having + [each for each in up if each.outward]
