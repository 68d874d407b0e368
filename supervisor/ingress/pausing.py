"""Why a connection is not read from: aiohttp's buffers are full, or its task has received what it may."""

from __future__ import annotations

from typing import TYPE_CHECKING

from supervisor.ingress.outgoing import Outgoing
from supervisor.ingress.phases import Phase

if TYPE_CHECKING:
    from supervisor.ingress.ports import Port


class Pausable(Outgoing):
    """Read from only while neither of the two is so."""

    __slots__ = ("_held", "_held_since")

    def __init__(self, port: Port) -> None:
        super().__init__(port)
        self._held = False
        self._held_since = 0.0

    def hold(self) -> None:
        """Reads no more until let_go()."""
        if not self._held:
            self._held = True
            self._held_since = self._loop.time()
            self._pause_transport_reading()

    def let_go(self) -> None:
        """Reads again, if aiohttp's buffers have room; the time until now is not held against the client."""
        if not self._held:
            return
        self._held = False
        now = self._loop.time()
        self._since = min(now, self._since + now - self._held_since)
        if self._phase is Phase.CLOSING or not (self._reading_paused or self._buffer_paused):
            self._resume_transport_reading()

    def _resume_transport_reading(self) -> None:
        """aiohttp's; all its ways to read on end here."""
        if not self._held:
            super()._resume_transport_reading()
