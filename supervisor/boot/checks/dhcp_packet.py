"""The one DHCP message that we send, and what of its answers matters (RFC 2131, RFC 2132). Pure."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from ipaddress import IPv4Address

_HEAD = struct.Struct("!BBBBIHH4s4s4s4s16s64s128s")
_COOKIE = b"\x63\x82\x53\x63"
_BROADCAST = 0x8000  # the answer is for everybody: we have no address on which we could hear it
_DISCOVER, _OFFER = 1, 2
_TYPE, _SERVER, _END, _PAD = 53, 54, 255, 0


@dataclass(frozen=True, slots=True)
class Offer:
    """Who answered, and which address it offers; None: it only says what to boot."""

    server: IPv4Address
    address: IPv4Address | None


def discover(number: int, mac: str) -> bytes:
    """A DHCPDISCOVER with the id `number` (32 bits) of a machine with this MAC address."""
    hardware = bytes.fromhex(mac.replace(":", ""))
    nobody = bytes(4)
    head = _HEAD.pack(1, 1, 6, 0, number, 0, _BROADCAST, nobody, nobody, nobody, nobody, hardware, b"", b"")
    wanted = bytes((_TYPE, 1, _DISCOVER, 55, 3, 1, 3, 6, _END))
    return (head + _COOKIE + wanted).ljust(300, b"\0")  # BOOTP's length, which some relays insist on


def read_offer(data: bytes, number: int) -> Offer | None:
    """The offer that answers `number`; None: something else."""
    if len(data) < _HEAD.size + 4 or data[_HEAD.size : _HEAD.size + 4] != _COOKIE:
        return None
    kind, _, _, _, found, _, _, _, yours, *_ = _HEAD.unpack_from(data)
    options = read_options(data[_HEAD.size + 4 :])
    server = options.get(_SERVER, b"")
    if kind != 2 or found != number or options.get(_TYPE) != bytes((_OFFER,)) or len(server) != 4:
        return None
    address = IPv4Address(yours)
    return Offer(IPv4Address(server), None if address == IPv4Address(0) else address)


def read_options(data: bytes) -> dict[int, bytes]:
    """Options by number, as far as they can be read."""
    found: dict[int, bytes] = {}
    at = 0
    while at < len(data) and data[at] != _END:
        if data[at] == _PAD:
            at += 1
            continue
        if at + 2 > len(data) or at + 2 + data[at + 1] > len(data):
            break
        found[data[at]] = data[at + 2 : at + 2 + data[at + 1]]
        at += 2 + data[at + 1]
    return found
