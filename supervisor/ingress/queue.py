"""What a client sent and was not answered yet: requests in line, and faults among them."""

from __future__ import annotations

from collections.abc import Sequence

from aiohttp.http_exceptions import HttpProcessingError, LineTooLong
from aiohttp.http_parser import RawRequestMessage
from aiohttp.streams import EMPTY_PAYLOAD, StreamReader
from aiohttp.web_protocol import RequestPayloadError, _ErrInfo

from supervisor.ingress.deadlines import Watched
from supervisor.ingress.options import MAX_HEAD
from supervisor.ingress.phases import Phase

type Messages = Sequence[tuple[RawRequestMessage, StreamReader]]


class Queued(Watched):
    """Feeds the parser and keeps in line what cannot be served at once."""

    __slots__ = ()

    def _parse(self, data: bytes) -> Messages:
        assert self._parser is not None
        try:
            # An upgrade is answered as an ordinary request, and the connection's last: what follows needs no care.
            return self._parser.feed_data(data)[0]
        except HttpProcessingError as error:
            too_large = isinstance(error, LineTooLong) or error.message.startswith("Too many headers")
            self._queue_fault(431 if too_large else 400)
            return ()

    def _queue(self, data: bytes, messages: Messages) -> None:
        """Puts requests in line, and counts what may be a head that is not complete."""
        if messages:
            self._head_bytes = 0
            self._messages.extend(messages)
            if len(self._messages) >= self._max_msg_queue_size and not self._buffer_paused:
                self._pause_reading_for_buffer()
        elif data and self._phase in (Phase.WAITING, Phase.RECEIVING, Phase.ANSWERING) and self._arriving() is None:
            if not self._head_bytes:
                self._since = self._loop.time()
            self._head_bytes += len(data)
            if self._head_bytes > MAX_HEAD and not self._deaf:
                self._queue_fault(431)
        if self._phase is Phase.WAITING:
            self._phase = Phase.RECEIVING

    def _queue_fault(self, status: int) -> None:
        """Puts an error answer in line behind the requests that came before it; nothing is read after it."""
        self._deaf = True
        body = self._arriving()
        if body is not None:  # the error is within it, and answered where it is read
            body.set_exception(RequestPayloadError())
            return
        self._messages.append((_ErrInfo(status=status, exc=HttpProcessingError(), message=""), EMPTY_PAYLOAD))

    def _arriving(self) -> StreamReader | None:
        """The body that is not complete yet: that of the last request in line, or of the one that streams."""
        body = self._messages[-1][1] if self._messages else self._payload
        return None if body is None or body.is_eof() else body
