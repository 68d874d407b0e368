"""Wake-on-LAN: a datagram of 102 bytes, heard by cards of machines that are off."""

from __future__ import annotations

import asyncio
import os
import socket

from supervisor.cluster.power.failures import WakeFailed
from supervisor.spec.wake_on_lan import WakeOnLan

EVERYBODY = "255.255.255.255"  # on the network of one interface (RFC 919)
LOOPBACK = "lo"
TIMES = 3  # a datagram may be lost, and nobody acknowledges it
PAUSE_S = 0.2


def magic_packet(mac: str) -> bytes:
    """Six times 0xff, then the address sixteen times (AMD, Magic Packet Technology, 1995)."""
    return b"\xff" * 6 + bytes.fromhex(mac.replace(":", "")) * 16


async def send_magic_packets(way: WakeOnLan) -> None:
    """Sends the packet three times; WakeFailed if none could be sent. Nobody can know whether it was heard."""
    for time in range(TIMES):
        if time:
            await asyncio.sleep(PAUSE_S)
        if way.broadcast is None:
            _send_everywhere(way)
        else:
            _send(way, way.broadcast)


def _send(way: WakeOnLan, address: str) -> None:
    try:
        _send_one(way, address, None)
    except OSError as error:
        raise WakeFailed(
            f"no magic packet could be sent to {address}: {error.strerror}",
            "`ip route get` with that address shows the way there",
        ) from None


def _send_everywhere(way: WakeOnLan) -> None:
    """Out of each interface: a broadcast would else leave by the one with the default route alone."""
    names = [name for _, name in socket.if_nameindex() if name != LOOPBACK]
    failures = [failure for name in names if (failure := _try(way, name))]
    if len(failures) == len(names):
        raise WakeFailed(
            f"no magic packet could be sent: {', '.join(failures) or 'there is no network interface'}",
            "`ip link` shows which interfaces are up; MAC@BROADCAST names the network to use",
        )


def _try(way: WakeOnLan, interface: str) -> str | None:
    """Why it could not be sent out of an interface; one that is down is no reason to worry while others are up."""
    try:
        _send_one(way, EVERYBODY, interface)
    except OSError as error:
        return f"{interface}: {os.strerror(error.errno or 0)}"
    return None


def _send_one(way: WakeOnLan, address: str, interface: str | None) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.settimeout(0)
        sender.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        if interface is not None:
            sender.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, interface.encode())
        sender.sendto(magic_packet(way.mac), (address, way.port))
