"""Requests that wait for their task's isolate to boot, in the order they came."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import islice

from supervisor.engine.isolate import Isolate
from supervisor.pool.exchange import Exchange

# A thousand waiting requests boot one isolate; more than that is a flood, refused early.
MOST_WAITING = 1000


@dataclass(slots=True)
class WaitingRequest:
    """One of them, with what has come of its body."""

    exchange: Exchange
    flags: int
    method: bytes
    target: bytes
    headers: bytes
    body: bytes
    chunks: list[bytes] = field(default_factory=list)  # at most WINDOW bytes: nobody gives credit back
    ended: bool = False
    failed: bool = False

    def hand_over(self, isolate: Isolate, number: int) -> bool:
        """Gives all of it to an isolate. False if that is over already."""
        if not isolate.request(
            number, self.exchange, self.flags, self.method, self.target, self.headers, self.body
        ):  # fmt: skip
            return False
        for chunk in self.chunks:
            isolate.body(number, chunk)
        if self.ended:
            isolate.body_end(number)
        if self.failed:
            isolate.body_failed(number)
        return True


class WaitingRoom:
    """The waiting requests of one task by their numbers."""

    __slots__ = ("_most", "_requests")

    def __init__(self, most: int | None = MOST_WAITING) -> None:
        """`most`: so many may wait; None: any number."""
        self._most = most
        self._requests: dict[int, WaitingRequest] = {}

    def __len__(self) -> int:
        return len(self._requests)

    def has_room(self, ahead: int) -> bool:
        """Whether one more may wait, if so many wait at the isolate already."""
        return self._most is None or ahead + len(self._requests) < self._most

    def add(self, number: int, request: WaitingRequest) -> None:
        """Another one waits."""
        self._requests[number] = request

    def get(self, number: int) -> WaitingRequest | None:
        """Returns the request with this number, if it waits here."""
        return self._requests.get(number)

    def take(self, number: int) -> WaitingRequest | None:
        """Removes and returns the request with this number, if it waits here."""
        return self._requests.pop(number, None)

    def numbers(self) -> list[int]:
        """Returns the numbers of all, oldest first."""
        return list(self._requests)

    def hand_over(self, isolate: Isolate, most: int | None = None) -> None:
        """Gives all, or the `most` oldest, to an isolate, oldest first; if it is over already, they wait on."""
        for number, request in list(islice(self._requests.items(), most)):
            if not request.hand_over(isolate, number):
                return
            del self._requests[number]

    def leave(self) -> list[WaitingRequest]:
        """Removes and returns all of them, oldest first."""
        requests, self._requests = self._requests, {}
        return list(requests.values())
