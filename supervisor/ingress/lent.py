"""The ordinary path: a request whose body streams is served in a task, by aiohttp's own start()."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, cast

from aiohttp.http_parser import RawRequestMessage
from aiohttp.streams import StreamReader
from aiohttp.web_protocol import RequestPayloadError
from aiohttp.web_request import BaseRequest
from aiohttp.web_response import StreamResponse

from supervisor.ingress import problems
from supervisor.ingress.heads import Head, head_of
from supervisor.ingress.options import READ_BUFFER
from supervisor.ingress.outgoing import log
from supervisor.ingress.pausing import Pausable
from supervisor.ingress.phases import Phase
from supervisor.pool.exchange import FLAG_STREAM, WINDOW, Failure

if TYPE_CHECKING:
    from supervisor.ingress.ports import Port

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


def whole(payload: StreamReader) -> bytes:
    """A body that is complete; leaves it in place, as read() would ask the transport to go on reading."""
    if not payload.total_bytes:
        return b""
    pieces = payload._buffer
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)


class Answered:
    """A response as start() sees it, of which every byte has already gone to the transport."""

    __slots__ = ("keep_alive",)

    def __init__(self, *, keep_alive: bool) -> None:
        self.keep_alive = keep_alive

    async def prepare(self, request: BaseRequest) -> None:
        """Nothing is left to do."""

    async def write_eof(self) -> None:
        """Nothing is left to do."""


class Lent(Pausable):
    """Serves a request inside start(), which then reads what is left of its body or closes the connection."""

    __slots__ = ("_credit", "_finished", "_hungry", "_payload", "_unacknowledged", "_unwanted")

    def __init__(self, port: Port) -> None:
        super().__init__(port)
        self._finished: asyncio.Future[bool] | None = None  # set by the end of the answer; True: close after it
        self._payload: StreamReader | None = None  # the body that streams to the task
        self._credit: asyncio.Future[None] | None = None  # the upload waits for the task to take something
        self._hungry = False  # the upload waits for the client to send something
        self._unacknowledged = 0  # bytes that the task has not taken yet
        self._unwanted = False  # the task cancelled the body: read it and throw it away

    def _lend(self) -> None:
        """Gives the connection and its queue to start(), which is parked or not running yet."""
        self._phase = Phase.LENT
        if self._task_handler is None:
            self._task_handler = asyncio.Task(self.start(), loop=self._loop, eager_start=True)
        elif self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def _is_parked(self) -> bool:
        """Whether start() has answered all it was lent and waits for more."""
        return not self._messages and self._waiter is not None and not self._waiter.done()

    async def serve(self, message: RawRequestMessage, payload: StreamReader) -> Answered:
        """Answers one request; called by start() through aiohttp's request handler."""
        head = head_of(message, self._port.server.options.max_body)
        if isinstance(head, Failure):
            self._refuse(head, head_only=message.method == "HEAD")
            return Answered(keep_alive=False)
        self._finished = self._loop.create_future()
        upload = self._hand_over(head, payload)
        try:
            return Answered(keep_alive=not await self._finished)
        finally:
            if upload is not None:
                upload.cancel()
            self._finished = self._payload = None
            self._hungry = False

    def _hand_over(self, head: Head, payload: StreamReader) -> asyncio.Task[None] | None:
        """Gives the task the request, and its body as it comes; returns what passes the body on."""
        if payload.is_eof():
            self._begin(head, head.flags, whole(payload))
            return None
        self._payload, self._unacknowledged, self._unwanted = payload, 0, False
        self._begin(head, head.flags | FLAG_STREAM, b"")
        if not self._number:
            return None
        if head.expects:
            self._say_continue(payload)
        return asyncio.Task(self._upload(payload, self._number), loop=self._loop)

    def handle_error(
        self, request: BaseRequest, status: int = 500, exc: BaseException | None = None, message: str | None = None
    ) -> StreamResponse:
        """aiohttp's hook for requests that were no HTTP, and for errors of our own; the client gets no details."""
        if status >= 500:
            log.error("serving a request failed", exc_info=exc)
        if self._head_sent and self._number:
            self._cut()
        else:
            self._refuse(problems.fault(status), head_only=False)
        return cast(StreamResponse, Answered(keep_alive=False))

    def _refuse(self, failure: Failure, *, head_only: bool) -> None:
        """Gives the connection's last answer, then reads on for a while: a reset for unread bytes would overtake it."""
        self._abandon()
        self._phase = Phase.CLOSING
        self._force_close = True  # start(), if it has the connection, ends and leaves it alone
        self._messages.clear()
        transport = self.transport
        if transport is not None and not transport.is_closing():
            transport.write(problems.wire(failure, head_only=head_only, close=True))
            transport.write_eof()
            self._resume_transport_reading()
            self._look_again(self._port.server.options.linger, self._stop_lingering)

    def _stop_lingering(self) -> None:
        self._look_again(self._port.server.tick, self._process_keepalive)
        self._shut()

    def _look_again(self, delay: float, callback: Callable[[], None]) -> None:
        """Replaces what the connection's one timer was about to do."""
        if self._keepalive_handle is not None:
            self._keepalive_handle.cancel()
        self._keepalive_handle = self._loop.call_later(delay, callback)

    def _say_continue(self, payload: StreamReader) -> None:
        """Asks for the body, unless the client did not wait to be asked."""
        if self.transport is not None and not payload.total_bytes:
            self.transport.write(CONTINUE)

    # the request's body

    async def _upload(self, payload: StreamReader, number: int) -> None:
        """Passes the body on, never more than a window ahead of what the task took."""
        limit = self._port.server.options.max_body
        total = 0
        try:
            while number and self._number == number:
                if self._unacknowledged >= WINDOW:
                    self._credit = self._loop.create_future()
                    await self._credit
                    continue
                self._hungry = True
                data = await payload.read(min(READ_BUFFER, WINDOW - self._unacknowledged))
                self._hungry = False
                total += len(data)
                if self._number != number:
                    return
                if not data:
                    return self._backend.body_end(number)
                if limit is not None and total > limit:
                    return self._answer_instead(413)
                if not self._unwanted:
                    self._unacknowledged += len(data)
                    self._backend.body(number, data)
        except RequestPayloadError:
            self._answer_instead(400)
        except ConnectionError:
            pass  # connection_lost() has told the task

    def body_credit(self, size: int) -> None:
        self._unacknowledged -= size
        self._wake_upload()

    def body_cancel(self) -> None:
        self._unwanted = True
        self._unacknowledged = 0
        self._wake_upload()

    def _wake_upload(self) -> None:
        if self._credit is not None and not self._credit.done():
            self._credit.set_result(None)

    def _answer_instead(self, status: int) -> None:
        """Takes the request away from the task: its body is wrong, too large or stopped coming."""
        if self._head_sent:
            return self._cut()
        head = self._head
        self._refuse(problems.fault(status), head_only=head is not None and head.method == b"HEAD")
        if self._finished is not None and not self._finished.done():
            self._finished.set_result(True)
