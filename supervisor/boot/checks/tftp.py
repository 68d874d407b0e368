"""Fetches a file by TFTP (RFC 1350), as firmware does, to see whether it can."""

from __future__ import annotations

import socket
import struct
import time

PORT = 69
BLOCK = 512
PATIENCE_S = 2.0  # for one block; then it is asked for again
TRIES = 3
_READ, _DATA, _ACK, _ERROR = 1, 3, 4, 5


class TftpError(OSError):
    """The file did not come; says why."""


def fetch(address: str, name: str, *, limit: int, source: str = "", port: int = PORT) -> bytes:
    """The first `limit` bytes of a file, or all of it. TftpError. `source`: our own address."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.bind((source, 0))
        client.settimeout(PATIENCE_S)
        request = struct.pack("!H", _READ) + name.encode() + b"\0octet\0"
        data, peer = _ask(client, request, (address, port), 1)
        got = data
        number = 1
        while len(data) == BLOCK and len(got) < limit:
            data, peer = _ask(client, struct.pack("!HH", _ACK, number), peer, number + 1)
            got += data
            number += 1
        last = struct.pack("!HH", _ACK, number) if len(data) < BLOCK else struct.pack("!HH", _ERROR, 0) + b"enough\0"
        client.sendto(last, peer)
        return got


def _ask(client: socket.socket, message: bytes, peer: tuple[str, int], number: int) -> tuple[bytes, tuple[str, int]]:
    """Sends a message until block `number` comes; it and who sent it, from a port that the server chose."""
    for _ in range(TRIES):
        client.sendto(message, peer)
        until = time.monotonic() + PATIENCE_S
        while time.monotonic() < until:
            try:
                answer, sender = client.recvfrom(BLOCK + 4)
            except TimeoutError:
                break
            except ConnectionRefusedError:
                raise TftpError("nothing listens on the port of TFTP") from None
            if len(answer) < 4 or sender[0] != peer[0]:
                continue
            kind, found = struct.unpack_from("!HH", answer)
            if kind == _ERROR:
                raise TftpError(answer[4:].rstrip(b"\0").decode("ascii", "replace") or f"error {found}")
            if kind == _DATA and found == number & 0xFFFF:
                return answer[4:], sender
    raise TftpError("no answer")
