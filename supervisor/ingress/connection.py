"""The receiving half of a connection, and its fast path: a request that came whole costs one call to the task."""

from __future__ import annotations

import asyncio
from time import perf_counter
from typing import cast

from aiohttp.http_parser import RawRequestMessage
from aiohttp.streams import EMPTY_PAYLOAD, StreamReader
from aiohttp.tcp_helpers import tcp_keepalive
from aiohttp.web_protocol import RequestHandler, _ErrInfo

from supervisor.ingress import problems
from supervisor.ingress.heads import Head, head_of
from supervisor.ingress.lent import whole
from supervisor.ingress.memo import HEAD_END, head_size
from supervisor.ingress.meter import Metered
from supervisor.ingress.options import COLLECT
from supervisor.ingress.phases import Phase
from supervisor.ingress.ports import Port
from supervisor.ingress.priority import set_priority
from supervisor.ingress.queue import Queued
from supervisor.ingress.traffic import Traffic
from supervisor.pool.exchange import FLAG_CLOSE, Failure

# A global is found faster than an enum's member.
WAITING = Phase.WAITING
RECEIVING = Phase.RECEIVING
ANSWERING = Phase.ANSWERING
COLLECTING = Phase.COLLECTING
LENT = Phase.LENT
CLOSING = Phase.CLOSING


class Connection(Queued):
    """One client's connection, from accept to close. See phases.py for its life."""

    __slots__ = ("_advancing", "_after", "_collected", "_max_body", "_missing", "_recall", "metered")

    def __init__(self, port: Port) -> None:
        super().__init__(port)
        self._recall = port.server.memo.recall
        self._max_body = port.server.options.max_body
        self._after = WAITING  # the phase that follows the present answer: WAITING if that is proven
        self._collected: tuple[Head, StreamReader] | None = None
        self._missing = 0  # bytes of the collected body; negative when the parser's place is not known
        self._advancing = False  # a loop on the stack goes on with the queue when the present answer is done
        self.metered: Metered | None = None  # between us and the transport, if the task has limits.net.ingress

    @property
    def port(self) -> Port:
        """The port that it came in at: whose task answers its next request."""
        return self._port

    @property
    def traffic(self) -> Traffic:
        """Of the task that it counts for."""
        return self._traffic

    def change_hands(self, traffic: Traffic) -> None:
        """Counts for another task from now on."""
        self._traffic.leave(self)
        self._traffic = traffic
        traffic.join(self)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        real_transport = cast(asyncio.Transport, transport)
        server, traffic = self._port.server, self._port.traffic
        if traffic.hold.priority is not None:
            set_priority(transport, traffic.hold.priority)
        if server.is_full or traffic.is_full:
            server.turn_away(self, real_transport)
            return
        # aiohttp's own connection_made() starts a task per connection; here it starts when it is first needed.
        super(RequestHandler, self).connection_made(transport)
        tcp_keepalive(real_transport)
        server.connection_made(self, real_transport)
        self._port.connections += 1
        self._traffic = traffic
        traffic.join(self)
        self._since = self._loop.time()
        self._keepalive_handle = self._loop.call_later(server.tick, self._process_keepalive)
        if server.draining:
            self._extra_flags = FLAG_CLOSE

    def connection_lost(self, exc: BaseException | None) -> None:
        if self._manager is None:
            return
        self._port.connections -= 1
        self._traffic.leave(self)
        self._abandon()
        self._phase = CLOSING
        super().connection_lost(exc)
        self._messages.clear()
        self._collected = None
        self._keepalive_handle = None  # it knows us: without this only the garbage collector would free connections
        if self._finished is not None and not self._finished.done():
            self._finished.set_result(True)

    # what comes in

    def feed(self, data: bytes) -> None:
        """What was read before the transport was ours."""
        if self.metered is not None:
            self.metered.feed(data)
        else:
            self.data_received(data)

    def data_received(self, data: bytes) -> None:
        self._traffic.received += len(data)
        phase = self._phase
        if phase is WAITING:
            head = self._recall(data)
            if head is not None:
                self._phase = ANSWERING
                self._begin(head, head.flags, b"")
                return
            if self._recall_with_body(data):
                return
        elif phase is not RECEIVING:
            return self._received_while_busy(data)
        self._received_more(data)

    def _received_more(self, data: bytes) -> None:
        messages = self._parse(data)
        if len(messages) == 1 and not self._messages:
            message, payload = messages[0]
            self._head_bytes = 0
            self._parser.message_consumed()  # type: ignore[union-attr]
            self._take(message, payload, data)
            return
        self._queue(data, messages)
        self._advance()

    def _recall_with_body(self, data: bytes) -> bool:
        """Takes a request that `data` is exactly, if its head is known."""
        size = head_size(data)
        if size == len(data) or not size:
            return False
        head = self._port.server.memo.recall_announcing(data[:size])
        if head is None or head.length != len(data) - size:
            return False
        self._phase = ANSWERING
        self._begin(head, head.flags, data[size:])
        return True

    def _received_while_busy(self, data: bytes) -> None:
        if self._deaf or self._phase is CLOSING:
            return
        if self._phase is LENT and self._is_parked():
            self._phase = RECEIVING
            return self._received_more(data)
        self._after = RECEIVING
        self._queue(data, self._parse(data))
        if self._phase is COLLECTING:
            self._collect(len(data))
        elif self._phase is LENT:
            self._since = self._loop.time()
            if self._messages and self._waiter is not None and not self._waiter.done():
                self._waiter.set_result(None)

    # one request after the other

    def _advance(self) -> None:
        """Takes requests from the queue until one has to be waited for."""
        if self._advancing:
            return
        self._advancing = True
        try:
            while self._messages and self._phase in (WAITING, RECEIVING):
                message, payload = self._messages.popleft()
                if isinstance(message, _ErrInfo):
                    self._refuse(problems.fault(message.status), head_only=False)
                    return
                if self._parser is not None:
                    self._parser.message_consumed()
                self._take(message, payload)
                if self._buffer_paused and len(self._messages) <= self._msg_queue_resume_size:
                    self._resume_reading_if_drained()
        finally:
            self._advancing = False

    def _take(self, message: RawRequestMessage, payload: StreamReader, segment: bytes = b"") -> None:
        """Goes on with a request; `segment`: where it ended, if nothing but one request did."""
        head = head_of(message, self._max_body)
        if isinstance(head, Failure):
            return self._refuse(head, head_only=message.method == "HEAD")
        was_between = self._phase is WAITING
        self._after = RECEIVING
        if payload is EMPTY_PAYLOAD:
            # After a head without a body, an empty line at the end can only be that head's (or idle ones after it).
            if segment.endswith(HEAD_END):
                self._after = WAITING
                if was_between:
                    self._port.server.memo.remember(segment, head)
            self._phase = ANSWERING
            self._begin(head, head.flags, b"")
        else:
            self._missing = -1
            size = head_size(segment) if was_between and head.length is not None else 0
            if size and head.length is not None:
                self._missing = head.length - (len(segment) - size)
                self._port.server.memo.remember(segment[:size], head)
            self._take_body(head, message, payload)

    def _take_body(self, head: Head, message: RawRequestMessage, payload: StreamReader) -> None:
        if payload.is_eof():
            self._take_whole(head, payload)
        elif head.length is not None and head.length <= COLLECT:
            self._phase = COLLECTING
            self._collected = (head, payload)
            self._head, self._head_sent = head, False
            self._since = self._loop.time()
            if head.expects:
                self._say_continue(payload)
        else:
            self._since = self._loop.time()
            self._messages.appendleft((message, payload))
            self._lend()

    def _take_whole(self, head: Head, payload: StreamReader) -> None:
        if self._max_body is not None and payload.total_bytes > self._max_body:
            return self._refuse(problems.fault(413), head_only=head.method == b"HEAD")
        if self._missing == 0 and not self._messages:
            self._after = WAITING
        self._phase = ANSWERING
        self._begin(head, head.flags, whole(payload))

    def _collect(self, size: int) -> None:
        """So much more has come while a body is collected."""
        assert self._collected is not None
        self._since = self._loop.time()
        self._missing -= size
        head, payload = self._collected
        if not payload.is_eof():
            return
        self._collected = None
        self._advancing = True
        try:
            self._take_whole(head, payload)
        finally:
            self._advancing = False
        self._advance()

    def _done(self, close: bool) -> None:
        self._number = 0
        self._since = self._loop.time()
        self._observe(perf_counter() - self._asked)
        head = self._head
        if head is not None and head.flags & FLAG_CLOSE:  # whatever the task says: the client expects it
            close = True
        if self._phase is not ANSWERING:
            if self._finished is not None and not self._finished.done():
                self._finished.set_result(close or self._half_closed or bool(self._extra_flags))
            return
        self._phase = self._after
        if close:
            self._shut()
        elif self._messages:
            self._advance()
        elif self._deaf:
            self._shut()
        elif self._extra_flags:
            self.retire()
