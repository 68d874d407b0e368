"""Asks for an address as the firmware of a network card does, and tells what it was told to boot. Runs in a namespace.

Arguments: interface, MAC address, architecture (RFC 4578) or `ipxe`, UUID or `-`. Prints the file, or `nothing`.
"""

from __future__ import annotations

import socket
import struct
import sys
import uuid

from supervisor.boot.checks.dhcp_packet import discover, read_options

TIMES = 4
EACH_S = 5  # dnsmasq looks for 3 s whether somebody has the address already


def request(mac: str, kind: str, identity: str) -> bytes:
    """A DHCPDISCOVER with what firmware adds."""
    plain = discover(0x1234, mac)[:240]
    options = b"\x35\x01\x01" + b"\x37\x04\x01\x03\x42\x43"
    number = 0 if kind == "ipxe" else int(kind)
    vendor = f"PXEClient:Arch:{number:05d}:UNDI:002001".encode()
    options += bytes((60, len(vendor))) + vendor + struct.pack("!BBH", 93, 2, number) + b"\x5e\x03\x01\x02\x01"
    if identity != "-":
        options += bytes((97, 17, 0)) + uuid.UUID(identity).bytes_le
    if kind == "ipxe":
        options += b"\x4d\x04iPXE" + b"\xaf\x06\xb1\x03\x01\x80\x86\x10"
    return plain + options + b"\xff"


def told(interface: str, mac: str, kind: str, identity: str) -> str:
    """What comes first: a file and an address. It asks again if nothing comes, as firmware does."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as card:
        card.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        card.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, interface.encode())
        card.bind(("0.0.0.0", 68))
        card.settimeout(EACH_S)
        for _ in range(TIMES):
            card.sendto(request(mac, kind, identity), ("255.255.255.255", 67))
            try:
                answer = card.recv(4096)
                break
            except TimeoutError:
                continue
        else:
            return "nothing"
    named = read_options(answer[240:]).get(67, b"") or answer[108:236]
    return f"{named.rstrip(b'\0').decode() or 'none'} {socket.inet_ntoa(answer[16:20])}"


sys.stdout.write(told(*sys.argv[1:5]) + "\n")
