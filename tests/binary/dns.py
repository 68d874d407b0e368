"""A name server on 127.0.0.1:53 that knows one name: `dns.py NAME` answers 127.0.0.1 for it and "no such name" else."""

from __future__ import annotations

import socket
import sys

A, IN = 1, 1
NO_SUCH_NAME = 3
HEAD = 12  # bytes of a message's head: RFC 1035, section 4.1.1


def answer(query: bytes, name: str) -> bytes:
    """The response to a query with one question."""
    at, labels = HEAD, []
    while length := query[at]:
        labels.append(query[at + 1 : at + 1 + length].decode())
        at += 1 + length
    kind = int.from_bytes(query[at + 1 : at + 3])
    known = ".".join(labels).lower() == name
    found = known and kind == A
    code = 0 if known else NO_SUCH_NAME
    flags = (0x8180 | code).to_bytes(2)
    counts = b"\0\1" + (b"\0\1" if found else b"\0\0") + b"\0\0\0\0"
    record = b"\xc0\x0c" + A.to_bytes(2) + IN.to_bytes(2) + (60).to_bytes(4) + b"\0\4\x7f\0\0\1" if found else b""
    return query[:2] + flags + counts + query[HEAD : at + 5] + record


def main() -> None:
    """Answers until it is killed."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 53))
        sys.stdout.write("serving\n")
        sys.stdout.flush()
        while True:
            query, client = sock.recvfrom(512)
            sock.sendto(answer(query, sys.argv[1]), client)


if __name__ == "__main__":
    main()
