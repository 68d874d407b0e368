"""What the engine says to whom an isolate's response is for."""

from __future__ import annotations

from typing import Protocol


class Answered(Protocol):
    """Gets one response. Loop thread. Order: response(), or response_head() response_body()* response_end()."""

    def response(self, wire: bytes, close: bool) -> None:
        """The whole response as it goes on the wire; `close`: the connection must be closed after it."""

    def response_head(self, wire: bytes, close: bool) -> None:
        """A streamed response begins."""

    def response_body(self, wire: bytes, cost: int) -> None:
        """More of it; `cost` is the credit that it used up."""

    def response_end(self, wire: bytes) -> None:
        """The end of it; `wire` may be empty."""

    def body_credit(self, size: int) -> None:
        """The isolate took `size` bytes of the streamed request body."""

    def body_cancel(self) -> None:
        """The rest of the request's body is not wanted."""
