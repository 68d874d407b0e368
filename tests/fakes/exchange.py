"""Somebody who waits for an answer: keeps what it is told, and notes what it should never have been told."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from supervisor.pool.exchange import Failure


class FakeExchange:
    """Implements pool.exchange.Exchange; `violations` must be empty at the end of every test."""

    def __init__(self, *, on_over: Callable[[], None] = lambda: None) -> None:
        self.wire = bytearray()
        self.pieces: list[tuple[bytes, int]] = []  # of a streamed body, with the credit that each cost
        self.closes: bool | None = None
        self.begun = False
        self.over = asyncio.Event()
        self.failure: Failure | None = None
        self.credit = 0  # of the request's body
        self.request_id: str | None = None
        self.cancelled = False
        self.violations: list[str] = []
        self._changed = asyncio.Event()
        self._on_over = on_over  # as a connection does that has the next request in line

    def response(self, wire: bytes, close: bool) -> None:
        self._may_come("response", begun=False)
        self.wire += wire
        self.closes = close
        self._end()

    def response_head(self, wire: bytes, close: bool) -> None:
        self._may_come("response_head", begun=False)
        self.begun = True
        self.wire += wire
        self.closes = close
        self._changed.set()

    def response_body(self, wire: bytes, cost: int) -> None:
        self._may_come("response_body", begun=True)
        self.wire += wire
        self.pieces.append((wire, cost))
        self._changed.set()

    def response_end(self, wire: bytes) -> None:
        self._may_come("response_end", begun=True)
        self.wire += wire
        self._end()

    def failed(self, failure: Failure) -> None:
        if self.over.is_set():
            self.violations.append("failed() after the end")
        self.failure = failure
        self._end()

    def body_credit(self, size: int) -> None:
        self.credit += size
        self._changed.set()

    def body_cancel(self) -> None:
        self.cancelled = True
        self._changed.set()

    @property
    def cost(self) -> int:
        """Credit that the streamed body used up so far."""
        return sum(cost for _, cost in self.pieces)

    async def wait_until(self, condition: Callable[[FakeExchange], bool]) -> None:
        """Returns once `condition` holds; it is looked at whenever the exchange is told something."""
        while not condition(self):
            self._changed.clear()
            await self._changed.wait()

    async def wait_more(self, cost: int) -> None:
        """Returns once the streamed body has used up more credit than that, or the exchange is over."""
        await self.wait_until(lambda it: it.cost > cost or it.over.is_set())

    async def wait_credit(self, credit: int) -> None:
        """Returns once so much of the request's body was taken."""
        await self.wait_until(lambda it: it.credit >= credit)

    def parsed(self) -> tuple[int, dict[str, str], bytes]:
        """Status, header fields (names in lower case) and body without its framing."""
        head, _, body = bytes(self.wire).partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
        chunked = headers.get("transfer-encoding") == "chunked"
        return int(first.split()[1]), headers, unchunked(body) if chunked else body

    def _may_come(self, what: str, *, begun: bool) -> None:
        if self.over.is_set() or self.begun is not begun:
            self.violations.append(f"{what}() out of order")

    def _end(self) -> None:
        self.over.set()
        self._changed.set()
        self._on_over()


def unchunked(body: bytes) -> bytes:
    """The bytes within chunked framing."""
    parts = []
    while body:
        size, _, body = body.partition(b"\r\n")
        parts.append(body[: int(size, 16)])
        body = body[int(size, 16) + 2 :]
    return b"".join(parts)
