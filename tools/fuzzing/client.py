"""Who waits for an answer: takes some of it, and looks whether it is what may go on the wire."""

from __future__ import annotations

import asyncio
import re

from supervisor.pool.exchange import Failure
from supervisor.pool.slot import Slot
from tools.fuzzing.limits import BODY_TAKEN

_STATUS = re.compile(rb"HTTP/1\.[01] [1-9]\d\d [^\r\n\0]*")
_LENGTH = re.compile(rb"\r\ncontent-length: ?(\d+)(?=\r\n)", re.IGNORECASE)
_FIELD = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+: ?[^\r\n\0]*")


class Client:
    """Implements pool.exchange.Exchange."""

    def __init__(self) -> None:
        self.over = asyncio.Event()
        self.head = b""
        self.wire = b""
        self.failure: Failure | None = None
        self.taken = 0
        self.slot: Slot | None = None
        self.number = 0
        self.request_id: str | None = None

    def ask(self, slot: Slot, method: bytes, target: bytes, headers: bytes, body: bytes, flags: int = 0) -> None:
        """Sends a request. RequestRefused."""
        self.slot = slot
        self.number = slot.request(self, flags, method, target, headers, body)

    def response(self, wire: bytes, close: bool) -> None:
        self.head, self.wire = wire, wire
        self.over.set()

    def response_head(self, wire: bytes, close: bool) -> None:
        self.head = wire

    def response_body(self, wire: bytes, cost: int) -> None:
        self.taken += len(wire)
        if self.taken > BODY_TAKEN:
            self.over.set()
        elif self.slot is not None:
            self.slot.credit(self.number, cost)

    def response_end(self, wire: bytes) -> None:
        self.over.set()

    def failed(self, failure: Failure) -> None:
        self.failure = failure
        self.over.set()

    def body_credit(self, size: int) -> None:
        pass

    def body_cancel(self) -> None:
        pass

    @property
    def began(self) -> bool:
        """Whether anything was answered."""
        return self.failure is not None or bool(self.head)

    def faults(self) -> list[str]:
        """What is wrong with the answer to a request that is not HEAD."""
        return faults_of(self.head) + length_faults_of(self.wire) if self.head else []


def faults_of(wire: bytes) -> list[str]:
    """What is wrong with the head at the beginning of `wire`."""
    head, end, _ = wire.partition(b"\r\n\r\n")
    if not end:
        return [f"a head without an end: {head[:100]!r}"]
    status, *fields = head.split(b"\r\n")
    wrong = [] if _STATUS.fullmatch(status) else [f"no status line: {status[:100]!r}"]
    return wrong + [f"no header field: {field[:100]!r}" for field in fields if not _FIELD.fullmatch(field)]


def length_faults_of(wire: bytes) -> list[str]:
    """What is wrong with the length that a whole answer tells."""
    head, _, body = wire.partition(b"\r\n\r\n")
    told = {int(length) for length in _LENGTH.findall(head + b"\r\n")}
    return [f"{len(body)} bytes, and said to be {sorted(told)}"] if told - {len(body)} else []
