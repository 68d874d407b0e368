"""What ingress and pool say to each other about one request; neither knows the other's insides.

Everything here runs on the loop's thread. Bodies and responses are plain bytes: the isolate's thread has already put
responses into the form that goes on the wire, framing included.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from supervisor.engine.exchange import Answered

# Flags of a request; the numbers are those of ISOLATED_REQUEST_* in native/include/isolated.h.
FLAG_CLOSE = 1  # answer with Connection: close
FLAG_HTTP10 = 2  # the client speaks HTTP/1.0: no chunked framing
FLAG_STREAM = 4  # the body follows in body() calls
FLAG_TLS = 8  # the request's URL is https:

# Bytes that may be under way without an answer, per exchange and direction; the engine counts with the same number.
WINDOW = 262_144


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a request gets no answer from its task, in the words a client may see (never a program's own error text)."""

    status: int  # HTTP status
    reason: str  # an ExitReason's value, or handler-error, backoff, host-full, queue-full, stopping
    title: str
    detail: str
    retry_after_s: int | None = None
    limit: float | None = None  # that was hit
    measured: float | None = None  # at that time
    unit: str | None = None  # of both: bytes or milliseconds


class RequestRefused(Exception):
    """The task cannot take this request now; carries what to tell the client."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.title)
        self.failure = failure


class Exchange(Answered, Protocol):
    """Somebody who waits for the answer to one request.

    Order of calls: response(), or response_head() response_body()* response_end(), or failed() at any time before the
    end. body_credit() and body_cancel() come at any time while the request's body is streamed. Nothing after
    Backend.abort().
    """

    @property
    def request_id(self) -> str | None:
        """What the client calls its request (X-Request-Id), if that is fit to be repeated."""

    def failed(self, failure: Failure) -> None:
        """There is no (more) response. Before the head the client gets `failure`, after it the connection is cut."""


class Backend(Protocol):
    """A task as ingress sees it: takes requests, answers through exchanges."""

    task_id: str

    def request(
        self, exchange: Exchange, flags: int, method: bytes, target: bytes, headers: bytes, body: bytes
    ) -> int:  # fmt: skip
        """Hands over a request; returns the exchange's number, never 0. Raises RequestRefused.

        `headers` is b"name\\nvalue\\n" for each field, names as the client wrote them; `target` as on the
        request line.
        """

    def body(self, number: int, data: bytes) -> None:
        """More of a streamed request body."""

    def body_end(self, number: int) -> None:
        """The streamed request body is complete."""

    def body_failed(self, number: int) -> None:
        """The streamed request body will never be complete; the exchange itself goes on."""

    def abort(self, number: int) -> None:
        """The client is gone, or was answered otherwise: no more calls to the exchange."""

    def credit(self, number: int, size: int) -> None:
        """The client took `size` bytes of the streamed response; ignored when the exchange is over."""
