"""Connections that were accepted although their task had as many as it may: they wait as if they had not been.

Accepting stops when a task is full, but the kernel hands over a crowd at once, and only later is it known who they are.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from supervisor.ingress.connection import Connection

# Of a process, as many as may be in a listening socket's queue; those beyond are cut off.
MOST_PARKED = 1024
# Read once, so that a client that goes is noticed; what comes after it waits in the kernel.
READ = 2048


class Parked(asyncio.BufferedProtocol):
    """One of them. Loop thread."""

    def __init__(self, connection: Connection, transport: asyncio.Transport, others: set[Parked]) -> None:
        self.connection = connection
        self._transport = transport
        self._others = others
        self._line = connection.port.traffic.parked
        self._buffer = bytearray(0)
        self._read = b""
        others.add(self)
        self._line[self] = None
        transport.set_protocol(self)

    def enter(self) -> None:
        """There is room: becomes an ordinary connection."""
        self._forget()
        transport, connection = self._transport, self.connection
        transport.set_protocol(connection)
        connection.connection_made(transport)
        transport.resume_reading()
        if self._read and connection.transport is not None:
            connection.feed(self._read)

    def abort(self) -> None:
        """Cuts it off."""
        self._transport.abort()

    def get_buffer(self, sizehint: int) -> bytearray:
        """Where the transport reads to."""
        self._buffer = bytearray(READ)
        return self._buffer

    def buffer_updated(self, nbytes: int) -> None:
        """The beginning of its request."""
        self._read = bytes(self._buffer[:nbytes])
        self._transport.pause_reading()

    def connection_lost(self, exc: BaseException | None) -> None:
        """It is gone."""
        self._forget()

    def _forget(self) -> None:
        self._others.discard(self)
        self._line.pop(self, None)
