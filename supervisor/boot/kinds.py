"""Kinds of values that only the settings of a boot server have."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from supervisor.boot.identity import parse_mac, parse_uuid
from supervisor.boot.promotion import parse_version
from supervisor.spec.refused import Refused

NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?", re.ASCII)  # also a host name: RFC 1123, 2.1
_INTERFACE = re.compile(r"(?!\.{1,2}$)[^\s/:,=]{1,15}", re.ASCII)  # IFNAMSIZ less the closing NUL


@dataclass(frozen=True, slots=True)
class Range:
    """Addresses from `first` to `last`."""

    first: ipaddress.IPv4Address
    last: ipaddress.IPv4Address

    def __str__(self) -> str:
        return f"{self.first}-{self.last}"


@dataclass(frozen=True, slots=True)
class Parsed:
    """A kind of one function; `allowed` says in words what it takes."""

    unit: str
    allowed: str
    function: Callable[[object], Any]

    def parse(self, value: object) -> Any:
        """The value; raises Refused."""
        return self.function(value)

    def read(self, text: str) -> object:
        """`text` itself: these are texts in files too."""
        return text

    def tell(self, value: Any) -> str:
        """The value as a text."""
        return str(value)


# What iPXE would read as its own, and what the boot server says itself.
_FOREIGN = re.compile(r"[$\\]|(^|\s)(isolated\.|\|\||&&)")


def _matching(pattern: re.Pattern[str], what: str, allowed: str, remedy: str) -> Callable[[object], str]:
    def parse(value: object) -> str:
        if isinstance(value, str) and pattern.fullmatch(value):
            return value
        raise Refused(what, allowed=allowed, remedy=remedy)

    return parse


def _address(value: object) -> ipaddress.IPv4Address:
    try:
        if isinstance(value, str):
            return ipaddress.IPv4Address(value)
    except ValueError:
        pass
    raise Refused("not an IPv4 address", allowed=ADDRESS.allowed, remedy="write for example '10.0.0.1'")


def _range(value: object) -> Range:
    first, hyphen, last = value.partition("-") if isinstance(value, str) else ("", "", "")
    try:
        found = Range(ipaddress.IPv4Address(first.strip()), ipaddress.IPv4Address(last.strip()))
        if hyphen and found.first <= found.last:
            return found
    except ValueError:
        pass
    raise Refused("not a range of addresses", allowed=RANGE.allowed, remedy="write for example '10.0.0.100-10.0.0.199'")


def _prefix(value: object) -> ipaddress.IPv6Network:
    try:
        if isinstance(value, str):
            network = ipaddress.IPv6Network(value)
            if network.prefixlen == 64:  # machines make their own addresses of it: RFC 4862, 5.5.3
                return network
    except ValueError:
        pass
    raise Refused("not such a prefix", allowed=PREFIX.allowed, remedy="write for example 'fd00:1::/64'")


def _words(value: object) -> str:
    if isinstance(value, str) and value.isprintable() and value.isascii() and not _FOREIGN.search(value):
        return " ".join(value.split())
    remedy = "write for example 'console=ttyS0,115200'; words with `isolated.` are the boot server's own"
    raise Refused("not words for a kernel", allowed=WORDS.allowed, remedy=remedy)


ADDRESS = Parsed("address", "an IPv4 address", _address)
RANGE = Parsed("range", "two IPv4 addresses with a hyphen between them, the lower first", _range)
PREFIX = Parsed("prefix", "an IPv6 prefix of 64 bits", _prefix)
WORDS = Parsed("words", "printable ASCII on one line, without $ and \\", _words)
MAC = Parsed("MAC", "six pairs of hexadecimal digits", parse_mac)
UUID = Parsed("UUID", "32 hexadecimal digits in groups", parse_uuid)
VERSION = Parsed("version", "the name of an image version", parse_version)
NAMES = "lower-case letters, digits and hyphens, at most 63"
GROUP = Parsed(
    "group", NAMES, _matching(NAME, "not the name of a group", NAMES, "write the name of a table below [groups]")
)
INTERFACE = Parsed(
    "interface",
    "the name of an interface",
    _matching(
        _INTERFACE, "not the name of an interface", "1 to 15 characters", "write for example 'eth1'; see `ip link`"
    ),
)
USER = Parsed(
    "user",
    "the name of a user",
    _matching(
        re.compile(r"[a-z_][a-z0-9_-]{0,31}", re.ASCII),
        "not the name of a user",
        "a name",
        "write for example 'nobody'",
    ),
)
