"""Questions to the kernel that pyroute2 has no words for. Any thread; each waits for the kernel."""

from __future__ import annotations

import errno
import os
import socket
import struct
from collections.abc import Iterator

from supervisor.limits.shaping.handles import ROOT

_HEADER = struct.Struct("=IHHII")  # nlmsghdr: length, type, flags, sequence, port
_ATTRIBUTE = struct.Struct("=HH")
_ERROR, _DONE = 2, 3
_REQUEST, _ACK, _DUMP, _EXCLUSIVE, _CREATE = 0x1, 0x4, 0x300, 0x200, 0x400

_ROUTE, _SOCK_DIAG = 0, 4  # netlink(7)
_NEW_QDISC, _GET_QDISC = 36, 38  # rtnetlink(7)
_QDISC = struct.Struct("=BxxxiIII")  # tcmsg: family, interface, handle, parent, info
_TC_ROOT = 0xFFFFFFFF
_TC_KIND = 1

_DIAG_BY_FAMILY = 20  # sock_diag(7)
_DIAG_MESSAGE = 72  # struct inet_diag_msg
_DIAG_TCLASS, _DIAG_CLASS_ID = 6, 17  # asking for the first gives the second too, which has no bit of its own
_LISTEN, _TIME_WAIT = 10, 6
_STATES = 0xFFF & ~(1 << _LISTEN | 1 << _TIME_WAIT)
_ANSWER = 1 << 18


def probe_htb(interface: int) -> int:
    """Whether a root of HTB could be made on an interface: 0, EPERM, or ENOENT where the kernel has no HTB.

    Nothing is changed: HTB is asked for without its settings, which the kernel refuses once it has found HTB.
    """
    kind = b"htb\0"
    body = _QDISC.pack(socket.AF_UNSPEC, interface, ROOT, _TC_ROOT, 0)
    body += _ATTRIBUTE.pack(_ATTRIBUTE.size + len(kind), _TC_KIND) + kind
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, _ROUTE) as sock:
        sock.bind((0, 0))
        flags = _REQUEST | _ACK | _CREATE | _EXCLUSIVE
        sock.send(_HEADER.pack(_HEADER.size + len(body), _NEW_QDISC, flags, 1, 0) + body)
        (number,) = struct.unpack_from("=i", sock.recv(_ANSWER), _HEADER.size)
    return -number if -number in (errno.EPERM, errno.ENOENT) else 0


def has_root() -> bool:
    """Whether some interface has a root qdisc with our number, from now or from a process that is gone."""
    answers = _dump(_ROUTE, _GET_QDISC, _QDISC.pack(socket.AF_UNSPEC, 0, 0, 0, 0))
    return any(_QDISC.unpack_from(answer, at)[2] == ROOT for answer, at, _ in answers)


def socket_priorities() -> frozenset[int]:
    """The SO_PRIORITY of every TCP connection of this network namespace, those nobody holds any more included.

    OSError where the kernel does not tell.
    """
    return frozenset(_priorities(socket.AF_INET)) | frozenset(_priorities(socket.AF_INET6))


def _priorities(family: int) -> Iterator[int]:
    body = struct.pack("=BBBxI48x", family, socket.IPPROTO_TCP, 1 << (_DIAG_TCLASS - 1), _STATES)
    for answer, at, end in _dump(_SOCK_DIAG, _DIAG_BY_FAMILY, body):
        yield from _class_of(answer, at + _DIAG_MESSAGE, end)


def _dump(protocol: int, question: int, body: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Every message of the answer, without its header: a buffer, and where in it."""
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, protocol) as sock:
        sock.bind((0, 0))
        sock.send(_HEADER.pack(_HEADER.size + len(body), question, _REQUEST | _DUMP, 1, 0) + body)
        while True:
            answer = sock.recv(_ANSWER)
            at = 0
            while at < len(answer):
                length, kind, *_ = _HEADER.unpack_from(answer, at)
                if kind == _DONE:
                    return
                if kind == _ERROR:
                    (number,) = struct.unpack_from("=i", answer, at + _HEADER.size)
                    raise OSError(-number, os.strerror(-number))
                yield answer, at + _HEADER.size, at + length
                at += _aligned(length)


def _class_of(answer: bytes, at: int, end: int) -> Iterator[int]:
    while at + _ATTRIBUTE.size <= end:
        length, kind = _ATTRIBUTE.unpack_from(answer, at)
        if kind == _DIAG_CLASS_ID:
            yield struct.unpack_from("=I", answer, at + _ATTRIBUTE.size)[0]
            return
        at += _aligned(max(length, _ATTRIBUTE.size))


def _aligned(length: int) -> int:
    return length + 3 & ~3
