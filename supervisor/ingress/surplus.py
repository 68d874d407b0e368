"""Connections for which there is no room: told so at once, and closed.

They are accepted all the same. In the socket's queue a client would wait without a word, and a load balancer in front
would take the host for slow instead of full.
"""

from __future__ import annotations

import asyncio

from supervisor.ingress import problems
from supervisor.pool.exchange import Failure

# So many of a process are told at once; each holds a file for as long as its client takes to hear it. The others are
# cut off.
MOST_SURPLUS = 256

FULL = Failure(503, "connections-full", "Too many connections", "The host has as many connections open as it takes.", 1)


class Surplus(asyncio.Protocol):
    """One of them."""

    def __init__(self, transport: asyncio.Transport, why: Failure, others: set[Surplus]) -> None:
        self._transport = transport
        self._why = why
        self._others = others
        self._timer: asyncio.TimerHandle | None = None

    def answer(self, linger_s: float) -> None:
        """Says why, then reads on for a while: a reset for unread bytes would overtake it."""
        self._others.add(self)
        self._timer = asyncio.get_running_loop().call_later(linger_s, self._transport.abort)
        self._transport.write(problems.wire(self._why, head_only=False, close=True))
        if self._transport.can_write_eof():
            self._transport.write_eof()

    def abort(self) -> None:
        """Cuts it off."""
        self._transport.abort()

    def data_received(self, data: bytes) -> None:
        """Its request: nobody will answer it."""

    def connection_lost(self, exc: BaseException | None) -> None:
        """It is gone."""
        self._others.discard(self)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
