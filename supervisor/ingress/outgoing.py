"""The answering half of a connection: it is its own Exchange, as it has one request in flight at a time."""

from __future__ import annotations

import logging
from time import perf_counter
from typing import TYPE_CHECKING

from aiohttp.web_protocol import RequestHandler

from supervisor.ingress import problems
from supervisor.ingress.heads import Head
from supervisor.ingress.phases import Phase
from supervisor.pool.exchange import FLAG_CLOSE, WINDOW, Backend, Failure, RequestRefused
from supervisor.spec.request_id import request_id_of

if TYPE_CHECKING:
    from supervisor.ingress.ports import Port

# Credit is given back in pieces: one call for many small chunks. Far below the window, so nobody waits for it.
CREDIT_PIECE = WINDOW // 4

UNNUMBERED = -1

log = logging.getLogger(__name__)


class Outgoing(RequestHandler):
    """Hands requests to the task and writes what comes back; how a request came in is the subclasses' business."""

    __slots__ = (
        "_asked",
        "_backend",
        "_extra_flags",
        "_head",
        "_head_sent",
        "_last",
        "_number",
        "_observe",
        "_owed",
        "_phase",
        "_port",
        "_since",
        "_traffic",
    )

    def __init__(self, port: Port) -> None:
        server = port.server
        super().__init__(server, loop=server._loop, **server.protocol_arguments)  # type: ignore[arg-type]
        self._port = port
        self._backend: Backend = port.backend  # that has the request in flight, or had the last one
        self._observe = port.latency.observe
        self._traffic = port.traffic
        self._asked = 0.0  # perf_counter() when the request in flight was handed over
        self._phase = Phase.WAITING
        self._number = 0  # of the exchange in flight; 0: none, UNNUMBERED: the task is just being asked
        self._head: Head | None = None  # of the request in flight, or the last one
        self._head_sent = False  # of the response in flight
        self._last = False  # the streamed response in flight said that the connection ends with it
        self._owed = 0  # credit to be given back
        self._extra_flags = 0  # FLAG_CLOSE once the connection is on its way out
        self._since = 0.0  # loop time at which the present wait began

    def _begin(self, head: Head, flags: int, body: bytes) -> None:
        """Hands a request to the task; the answer may come before this returns."""
        self._head = head
        self._head_sent = False
        self._number = UNNUMBERED
        self._asked = perf_counter()
        backend = self._backend = self._port.backend  # another task may have got the port since the last request
        try:
            number = backend.request(self, flags | self._extra_flags, head.method, head.target, head.headers, body)
        except RequestRefused as refused:
            self.failed(refused.failure)
        except Exception:
            log.exception("a task's request() failed; the client gets a 500")
            self.failed(problems.fault(500))
        else:
            if self._number:
                self._number = number

    def _done(self, close: bool) -> None:
        """The answer is complete; `close`: and it was announced to be the last. The exchange is over."""
        raise NotImplementedError

    def _abandon(self) -> None:
        """Tells the task that nobody waits for its answer any more."""
        number, self._number = self._number, 0
        if number > 0:
            self._backend.abort(number)

    def _cut(self) -> None:
        """Ends the connection so that the client cannot take what it got for a whole answer."""
        self._abandon()
        if self.transport is not None:
            self.transport.abort()

    def _shut(self) -> None:
        """Closes once the client has taken what was written."""
        self._phase = Phase.CLOSING
        if self.transport is not None:
            self.transport.close()

    # Exchange

    @property
    def request_id(self) -> str | None:
        return None if self._head is None else request_id_of(self._head.headers)

    def response(self, wire: bytes, close: bool) -> None:
        transport = self.transport
        if transport is not None:
            transport.write(wire)
            self._traffic.sent += len(wire)
            self._done(close)

    def response_head(self, wire: bytes, close: bool) -> None:
        if self.transport is not None:
            self._head_sent = True
            self._owed = 0
            self._last = close
            self.transport.write(wire)
            self._traffic.sent += len(wire)

    def response_body(self, wire: bytes, cost: int) -> None:
        if self.transport is not None:
            self.transport.write(wire)
            self._traffic.sent += len(wire)
            self._owed += cost
            if self._owed >= CREDIT_PIECE and not self._paused:
                self._give_credit()

    def response_end(self, wire: bytes) -> None:
        if self.transport is not None:
            if wire:
                self.transport.write(wire)
                self._traffic.sent += len(wire)
            self._done(self._last)

    def failed(self, failure: Failure) -> None:
        if self.transport is None:
            return
        self._number = 0
        if self._head_sent:  # an end that looks like one would make half an answer a whole one
            self.transport.abort()
            return
        head = self._head
        assert head is not None
        close = bool((head.flags | self._extra_flags) & FLAG_CLOSE)
        self.transport.write(
            problems.wire(failure, head_only=head.method == b"HEAD", close=close, request_id=self.request_id)
        )
        self._done(close)

    def body_credit(self, size: int) -> None:
        """Only streamed bodies have credit."""

    def body_cancel(self) -> None:
        """Only streamed bodies can be cancelled."""

    # back-pressure: the transport tells when a client is slow

    def resume_writing(self) -> None:
        super().resume_writing()
        if self._owed:
            self._give_credit()

    def _give_credit(self) -> None:
        owed, self._owed = self._owed, 0
        if self._number > 0:
            self._backend.credit(self._number, owed)
