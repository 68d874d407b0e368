"""Finds DHCP servers by asking as a machine would."""

from __future__ import annotations

import secrets
import socket
import time

from supervisor.boot.checks.dhcp_packet import Offer, discover, read_offer

SERVER, CLIENT = 67, 68
WAIT_S = 5.0  # dnsmasq looks whether an address is free for 3 s before it offers it, ISC's server for 1


def offers(interface: str, mac: str, wait_s: float) -> list[Offer]:
    """All offers that come within the wait, each server once. OSError: not permitted, or no such interface."""
    number = secrets.randbits(32)
    found: dict[object, Offer] = {}
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        for option in (socket.SO_REUSEADDR, socket.SO_REUSEPORT, socket.SO_BROADCAST):
            probe.setsockopt(socket.SOL_SOCKET, option, 1)
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, interface.encode())
        probe.bind(("0.0.0.0", CLIENT))
        probe.sendto(discover(number, mac), ("255.255.255.255", SERVER))
        until = time.monotonic() + wait_s
        while (left := until - time.monotonic()) > 0:
            probe.settimeout(left)
            try:
                offer = read_offer(probe.recv(4096), number)
            except TimeoutError:
                break
            if offer is not None:
                found.setdefault(offer.server, offer)
    return list(found.values())
