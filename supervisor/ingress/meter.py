"""limits.net.ingress: the connections of a task share a token bucket, by turns.

A connection reads no more at once than its turn, into a buffer that is no larger, so nothing is received on credit but
for TURN_MIN bytes of each connection that was silent when the bucket ran empty. Who has had a turn while others wait
stands in line behind them: none waits longer than one turn of each other.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from supervisor.ingress.bucket import TURN_MAX, TURN_MIN, Bucket

if TYPE_CHECKING:
    from supervisor.ingress.connection import Connection

# The loop's clock has milliseconds: a timer for less fires at once, again and again.
SOONEST_S = 0.001


class Meter:
    """The bucket of one task. Loop thread."""

    def __init__(self, bits_per_s: float, loop: asyncio.AbstractEventLoop, buffer: memoryview) -> None:
        """`buffer`: of TURN_MAX bytes, for all that are read from on this loop; used within one call of it."""
        self._loop = loop
        self._bucket = Bucket(bits_per_s, loop.time())
        self._buffer = buffer
        self._waiting: dict[Metered, None] = {}  # in their order
        self._let_go = 0  # that were let go since the timer fired last, and have read nothing yet
        self._timer: asyncio.TimerHandle | None = None
        self._paused_s = 0.0
        self._waits_since = 0.0

    @property
    def paused_s(self) -> float:
        """For how long some connection had to wait."""
        return self._paused_s + (self._loop.time() - self._waits_since if self._waiting else 0.0)

    def change(self, bits_per_s: float) -> None:
        """Another limit; who waits, waits for that."""
        self._bucket.change(bits_per_s, self._loop.time())
        self._again()

    def leave(self, one: Metered) -> None:
        """It does not take part any more."""
        if one in self._waiting:
            self._unwait(one)
        if not self._waiting and self._timer is not None:
            self._timer.cancel()
            self._timer = None

    # what comes in

    def room(self) -> memoryview:
        """Where the next read goes."""
        level = self._bucket.level(self._loop.time())
        return self._buffer[: min(self._bucket.turn, max(TURN_MIN, int(level)))]

    def take(self, one: Metered, size: int) -> bytes:
        """What was read there; `one` waits, if it has to, before this is looked at."""
        data = bytes(self._buffer[:size])
        self.charge(one, size)
        return data

    def charge(self, one: Metered, size: int) -> None:
        """So much has come in."""
        level = self._bucket.take(size, self._loop.time())
        if one.let_go:
            one.let_go = False
            self._let_go = max(0, self._let_go - 1)
        if self._waiting or level < self._bucket.turn:
            self._wait(one)
            self._go_on()

    # taking turns

    def _wait(self, one: Metered) -> None:
        if not self._waiting:
            self._waits_since = self._loop.time()
        self._waiting[one] = None
        one.connection.hold()

    def _unwait(self, one: Metered) -> None:
        del self._waiting[one]
        if not self._waiting:
            self._paused_s += self._loop.time() - self._waits_since

    def _go_on(self) -> None:
        """Lets as many go as there are turns for, and comes back for the others."""
        now = self._loop.time()
        bucket = self._bucket
        while self._waiting and bucket.level(now) >= bucket.turn * (self._let_go + 1):
            one = next(iter(self._waiting))
            self._unwait(one)
            self._let_go += 1
            one.let_go = True
            one.connection.let_go()
        if self._waiting and self._timer is None:
            wait_s = bucket.wait_s(bucket.turn, now) or bucket.turn / bucket.rate
            self._timer = self._loop.call_later(max(SOONEST_S, wait_s), self._again)

    def _again(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._let_go = 0  # those that have nothing to read do not keep their turn
        self._go_on()


class Metered(asyncio.BufferedProtocol):
    """Stands between a transport and a connection whose task has a limit."""

    __slots__ = ("_meter", "connection", "let_go")

    def __init__(self, meter: Meter, connection: Connection) -> None:
        self._meter = meter
        self.connection = connection
        self.let_go = False  # and nothing read since

    def get_buffer(self, sizehint: int) -> memoryview:
        """Where the transport reads to."""
        return self._meter.room()

    def buffer_updated(self, nbytes: int) -> None:
        """So much was read."""
        self.connection.data_received(self._meter.take(self, nbytes))

    def feed(self, data: bytes) -> None:
        """What was read elsewhere."""
        self._meter.charge(self, len(data))
        self.connection.data_received(data)

    def leave(self) -> None:
        """The transport is on its own again, or gone."""
        self._meter.leave(self)
        self.connection.let_go()

    def eof_received(self) -> bool:
        """The client will send no more."""
        return self.connection.eof_received()

    def connection_lost(self, exc: BaseException | None) -> None:
        """The transport is gone."""
        self.connection.connection_lost(exc)

    def pause_writing(self) -> None:
        """The client is slow."""
        self.connection.pause_writing()

    def resume_writing(self) -> None:
        """It is not any more."""
        self.connection.resume_writing()


def buffer() -> memoryview:
    """For all meters of a loop."""
    return memoryview(bytearray(TURN_MAX))
