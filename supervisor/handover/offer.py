"""What a predecessor hands over: a manifest in words of the host's own, listening sockets, and open files."""

from __future__ import annotations

import socket
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol


class HasFileno(Protocol):
    """A socket, or an event loop's stand-in for one."""

    def fileno(self) -> int:
        """Its descriptor."""


@dataclass(frozen=True, slots=True)
class Offer:
    """`manifest` must be fit for JSON. Keys are the host's; several handles may have the same one."""

    manifest: Mapping[str, Any]
    sockets: tuple[tuple[str, HasFileno], ...] = ()
    files: tuple[tuple[str, int], ...] = ()  # descriptors, e.g. of the lock of the state folder

    def handles(self, size: int) -> Iterator[tuple[str, list[str], list[int]]]:
        """Kind, keys and descriptors, at most `size` at a time, in order."""
        sockets = [(key, sock.fileno()) for key, sock in self.sockets]
        for kind, pairs in (("sockets", sockets), ("files", list(self.files))):
            for start in range(0, len(pairs), size):
                part = pairs[start : start + size]
                yield kind, [key for key, _ in part], [fd for _, fd in part]


@dataclass(frozen=True, slots=True)
class Offered:
    """An offer as it came: everything open in it is the successor's own now. Not inherited by its children."""

    manifest: Mapping[str, Any]
    version: str  # of the program that offers
    sockets: list[tuple[str, socket.socket]] = field(default_factory=list)
    files: list[tuple[str, int]] = field(default_factory=list)
