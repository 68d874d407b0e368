"""A task that answers from Python: the Backend that ingress is tested against.

As the engine does, it answers on a later turn of the loop than the request came in, and it holds ingress to the
contract: what ingress may not do is noted in `violations`, which tests look at.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from supervisor.pool.exchange import FLAG_CLOSE, FLAG_HTTP10, FLAG_STREAM, WINDOW, Exchange, Failure, RequestRefused


@dataclass(slots=True)
class Asked:
    """One request as the task got it, and what became of it."""

    backend: FakeBackend
    exchange: Exchange
    number: int
    flags: int
    method: bytes
    target: bytes
    headers: bytes
    body: bytearray
    body_ended: bool
    over: bool = False  # answered or aborted
    aborted: bool = False
    credit: int = WINDOW
    on_body: Callable[[], None] = lambda: None  # more of the body is there, or its end
    on_credit: Callable[[], None] = lambda: None
    chunks: list[bytes] = field(default_factory=list)

    def header(self, name: bytes) -> bytes | None:
        """The value of the first field of that name."""
        parts = self.headers.split(b"\n")
        for each, value in zip(parts[::2], parts[1::2], strict=False):
            if each.lower() == name.lower():
                return value
        return None

    @property
    def closes(self) -> bool:
        return bool(self.flags & FLAG_CLOSE)

    # answering, as the isolate's thread would

    def respond(self, body: bytes = b"", *, status: bytes = b"200 OK", headers: bytes = b"") -> None:
        """A whole response."""
        if self.over:
            return
        self.over = True
        shown = b"" if self.method == b"HEAD" else body
        head = self._head(status, headers + b"Content-Length: %d\r\n" % len(body))
        self.exchange.response(head + shown, self.closes)

    def start(self, *, status: bytes = b"200 OK") -> None:
        """The head of a streamed response."""
        if not self.over:
            framing = b"" if self.flags & FLAG_HTTP10 else b"Transfer-Encoding: chunked\r\n"
            self.exchange.response_head(self._head(status, framing), self.closes)

    def chunk(self, data: bytes) -> None:
        """A piece of a streamed response; may overdraw the credit by one piece, as the engine does."""
        if not self.over:
            self.credit -= len(data)
            wire = data if self.flags & FLAG_HTTP10 else b"%x\r\n%b\r\n" % (len(data), data)
            self.exchange.response_body(wire, len(data))

    def end(self) -> None:
        """The end of a streamed response."""
        if not self.over:
            self.over = True
            self.exchange.response_end(b"" if self.flags & FLAG_HTTP10 else b"0\r\n\r\n")

    def fail(self, failure: Failure) -> None:
        if not self.over:
            self.over = True
            self.exchange.failed(failure)

    def take(self, size: int) -> None:
        """Says that the program took so many bytes of the body."""
        if not self.over:
            self.exchange.body_credit(size)

    def _head(self, status: bytes, headers: bytes) -> bytes:
        close = b"Connection: close\r\n" if self.closes else b""
        return b"HTTP/1.1 %b\r\n%b%b\r\n" % (status, headers, close)


Answer = Callable[[Asked], None]


def hello(asked: Asked) -> None:
    """Answers at once with the request's target."""
    asked.respond(b"hello " + asked.target)


def echo(asked: Asked) -> None:
    """Answers with the body when all of it is there, taking it as it comes."""
    taken = 0

    def more() -> None:
        nonlocal taken
        if asked.flags & FLAG_STREAM and len(asked.body) > taken:
            fresh, taken = len(asked.body) - taken, len(asked.body)
            asked.take(fresh)
        if asked.body_ended:
            asked.respond(bytes(asked.body))

    asked.on_body = more
    more()


def never(asked: Asked) -> None:
    """Does not answer."""


def stream(pieces: int, size: int) -> Answer:
    """Answers with so many pieces, each when there is credit for it."""

    def answer(asked: Asked) -> None:
        left = pieces

        def more() -> None:
            nonlocal left
            while left and asked.credit > 0 and not asked.over:
                left -= 1
                asked.chunk(b"x" * size)
            if not left:
                asked.end()

        asked.start()
        asked.on_credit = more
        more()

    return answer


class FakeBackend:
    """Answers every request with `answer`; keeps all it was asked."""

    def __init__(self, answer: Answer = hello, *, task_id: str = "fake") -> None:
        self.task_id = task_id
        self.answer = answer
        self.refusal: Failure | None = None  # raised instead of taking a request
        self.at_once = False  # answer before request() returns, which no engine does
        self.asked: list[Asked] = []
        self.violations: list[str] = []
        self._by_number: dict[int, Asked] = {}
        self._arrived = asyncio.Event()

    def request(
        self, exchange: Exchange, flags: int, method: bytes, target: bytes, headers: bytes, body: bytes
    ) -> int:  # fmt: skip
        if self.refusal is not None:
            raise RequestRefused(self.refusal)
        for part in (method, target, headers, body):
            if type(part) is not bytes:
                self.violations.append(f"{part!r} is not bytes")
        if any(each.exchange is exchange and not each.over for each in self._by_number.values()):
            self.violations.append("a second request while the first is in flight")
        number = len(self.asked) + 1
        streams = bool(flags & FLAG_STREAM)
        asked = Asked(self, exchange, number, flags, method, target, headers, bytearray(body), not streams)
        self.asked.append(asked)
        self._by_number[number] = asked
        self._arrived.set()
        if self.at_once:
            self.answer(asked)
        else:
            asyncio.get_running_loop().call_soon(self._answer, asked)
        return number

    def body(self, number: int, data: bytes) -> None:
        asked = self._open(number, "body")
        if asked is not None:
            asked.body += data
            asked.chunks.append(data)
            asyncio.get_running_loop().call_soon(self._tell, asked)

    def body_end(self, number: int) -> None:
        asked = self._open(number, "body_end")
        if asked is not None:
            asked.body_ended = True
            asyncio.get_running_loop().call_soon(self._tell, asked)

    def body_failed(self, number: int) -> None:
        self._open(number, "body_failed")

    def abort(self, number: int) -> None:
        asked = self._open(number, "abort")
        if asked is not None:
            asked.over = asked.aborted = True

    def credit(self, number: int, size: int) -> None:
        asked = self._by_number.get(number)
        if asked is not None and not asked.over:
            asked.credit += size
            if asked.credit > WINDOW:
                self.violations.append("more credit given back than was used")
            asked.on_credit()

    async def wait_asked(self, count: int) -> Asked:
        """Returns the `count`th request when it has come."""
        while len(self.asked) < count:
            self._arrived.clear()
            await self._arrived.wait()
        return self.asked[count - 1]

    def _open(self, number: int, what: str) -> Asked | None:
        asked = self._by_number.get(number)
        if asked is None or asked.over:
            self.violations.append(f"{what} for exchange {number}, which is over")
            return None
        if asked.body_ended and what.startswith("body"):
            self.violations.append(f"{what} after the end of the body")
        return asked

    def _answer(self, asked: Asked) -> None:
        if not asked.over:
            self.answer(asked)

    def _tell(self, asked: Asked) -> None:
        if not asked.over:
            asked.on_body()
