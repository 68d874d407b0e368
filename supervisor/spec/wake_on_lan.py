"""Where a magic packet goes: `MAC`, or `MAC@BROADCAST`, or `MAC@BROADCAST:PORT`."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from typing import ClassVar, NoReturn

from supervisor.spec.refused import Refused

PORT = 9  # discard; what most senders use. Network cards look for the packet on any port.
ALLOWED = "'MAC', 'MAC@BROADCAST' or 'MAC@BROADCAST:PORT', as in 00:5c:52:31:3a:9c@192.168.7.255"
_MAC = re.compile(r"[0-9a-f]{2}(?:([:-])[0-9a-f]{2})(?:\1[0-9a-f]{2}){4}", re.ASCII | re.IGNORECASE)
_PORT = re.compile(r"[0-9]{1,5}", re.ASCII)


@dataclass(frozen=True, slots=True)
class WakeOnLan:
    """A network card that starts its machine when it sees its own address sixteen times."""

    scheme: ClassVar[str] = "wol"

    mac: str  # six pairs of lower-case digits, colons between them
    broadcast: str | None = None  # an IPv4 address; None: out of every interface
    port: int = PORT

    def __str__(self) -> str:
        if self.broadcast is None:
            return self.mac
        return f"{self.mac}@{self.broadcast}" + ("" if self.port == PORT else f":{self.port}")


def parse_wake_on_lan(text: str) -> WakeOnLan:
    """The card that `text` names; raises Refused."""
    mac, at, where = text.partition("@")
    if not _MAC.fullmatch(mac):
        _refuse("not a MAC address", "write six pairs of hexadecimal digits, as in 00:5c:52:31:3a:9c")
    mac = mac.lower().replace("-", ":")
    if int(mac[:2], 16) & 1 or mac == "00:00:00:00:00:00":  # IEEE 802: the group bit, and nobody
        _refuse("not the MAC address of one card", "`ip link` on the machine shows its address as link/ether")
    if not at:
        return WakeOnLan(mac)
    broadcast, colon, port = where.partition(":")
    return WakeOnLan(mac, _address(broadcast), _port(port) if colon else PORT)


def _address(text: str) -> str:
    try:
        return str(ipaddress.IPv4Address(text))
    except ValueError:
        _refuse(
            "not an IPv4 address to broadcast to",
            "`ip address` shows it as brd; leave @… out to send out of every interface",
        )


def _port(text: str) -> int:
    if not _PORT.fullmatch(text) or not 1 <= int(text) <= 65_535:
        _refuse("not a port", f"write a number from 1 to 65535, or leave it out for {PORT}")
    return int(text)


def _refuse(message: str, remedy: str) -> NoReturn:
    raise Refused(message, allowed=ALLOWED, remedy=remedy)
