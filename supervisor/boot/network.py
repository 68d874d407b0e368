"""What the kernel knows of the network that machines boot through: our address there, and who has which address."""

from __future__ import annotations

import fcntl
import socket
import struct
from dataclasses import dataclass
from ipaddress import IPv4Interface
from pathlib import Path

from supervisor.errors import IsolatedError

ARP = Path("/proc/net/arp")
_SIOCGIFADDR, _SIOCGIFNETMASK, _SIOCGIFHWADDR = 0x8915, 0x891B, 0x8927  # linux/sockios.h
_COMPLETE = 0x2  # ATF_COM of linux/if_arp.h: the hardware address is known


class NetworkError(IsolatedError):
    """The interface is not one that machines can boot through."""


@dataclass(frozen=True, slots=True)
class Site:
    """An interface with its address and network, and its own MAC address."""

    interface: str
    address: IPv4Interface
    mac: str


def site_of(interface: str) -> Site:
    """What the interface has now. NetworkError if it is not there, or has no IPv4 address."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            mac = _ask(probe, _SIOCGIFHWADDR, interface)[2:8].hex(":")
        except OSError as error:
            remedy = "`ip link` lists the interfaces; correct `interface`"
            raise NetworkError(f"interface {interface}: {error.strerror}", remedy) from None
        try:
            address, mask = (_ask(probe, number, interface)[4:8] for number in (_SIOCGIFADDR, _SIOCGIFNETMASK))
        except OSError as error:
            remedy = f"give it one: ip address add 10.0.0.1/24 dev {interface}; ip link set {interface} up"
            raise NetworkError(f"interface {interface} has no IPv4 address: {error.strerror}", remedy) from None
    return Site(interface, IPv4Interface(f"{socket.inet_ntoa(address)}/{socket.inet_ntoa(mask)}"), mac)


def _ask(probe: socket.socket, number: int, interface: str) -> bytes:
    """The second half of a struct ifreq (netdevice(7))."""
    answer: bytes = fcntl.ioctl(probe.fileno(), number, struct.pack("16s24x", interface.encode()))
    return answer[16:]


def mac_of(address: str, table: str | None = None) -> str | None:
    """Who has an IPv4 address on a network of ours, as the kernel sees it: it has just answered them. None: unknown."""
    for line in (ARP.read_text() if table is None else table).splitlines()[1:]:
        fields = line.split()
        if len(fields) >= 6 and fields[0] == address and int(fields[2], 16) & _COMPLETE:
            return fields[3].lower()
    return None
