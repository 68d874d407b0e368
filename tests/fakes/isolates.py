"""Isolates that do what a test says: the engine that the pool is tested against."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import cast

from supervisor.engine.exchange import Answered
from supervisor.engine.isolate import End, Isolate, IsolateListener, Statistics
from supervisor.pool.exchange import Exchange
from supervisor.spec.exits import Exit, ExitReason
from supervisor.spec.task import TaskSpec

_REASONS = {
    End.DRAINED: ExitReason.DRAINED,
    End.IDLE: ExitReason.IDLE,
    End.KILLED: ExitReason.KILLED,
    End.WALL_LIMIT: ExitReason.WALL_LIMIT,
    End.STARTUP_LIMIT: ExitReason.STARTUP_LIMIT,
}


@dataclass
class Taken:
    """One request as the isolate got it."""

    flags: int
    method: bytes
    target: bytes
    headers: bytes
    body: bytes
    ended: bool = False
    failed: bool = False
    credit: int = 0


@dataclass
class Figures:
    """What statistics() tells; a test changes it."""

    cpu_s: float = 0.0
    timers: int = 0
    busy_since_s: float | None = None
    has_thread: bool = True  # an isolate that was made for a task has one only when it is warm


@dataclass
class Life:
    """What the pool did with the isolate."""

    spec: TaskSpec | None = None
    blocked: tuple[str, ...] = ()
    asked_to_end: list[End] = field(default_factory=list)
    aborted: list[int] = field(default_factory=list)
    gone: bool = False  # its thread is over, whether or not anybody was told


class FakeIsolate(Isolate):
    """An isolate without a thread. `tell_*` and `exit` are what a real one would say by itself."""

    __slots__ = ("figures", "life", "taken")

    def __init__(self, number: int, listener: IsolateListener) -> None:
        super().__init__(number, listener)
        self.life = Life()
        self.figures = Figures()
        self.taken: dict[int, Taken] = {}

    # what the pool does

    def boot(self, spec: TaskSpec, *, blocked: Iterable[str] = ()) -> None:
        assert self.life.spec is None, "booted twice"
        self.life.spec = spec
        self.life.blocked = tuple(blocked)

    def request(
        self, number: int, exchange: Answered, flags: int, method: bytes, target: bytes, headers: bytes, body: bytes
    ) -> bool:
        if self.life.gone:
            return False
        self.taken[number] = Taken(flags, method, target, headers, body)
        self.exchanges[number] = exchange
        return True

    def body(self, number: int, data: bytes) -> None:
        if number in self.taken:
            self.taken[number].body += data

    def body_end(self, number: int) -> None:
        if number in self.taken:
            self.taken[number].ended = True

    def body_failed(self, number: int) -> None:
        if number in self.taken:
            self.taken[number].failed = True

    def abort(self, number: int) -> None:
        if number in self.exchanges:
            self.forget(number)
            self.life.aborted.append(number)

    def credit(self, number: int, size: int) -> None:
        if number in self.exchanges:
            self.taken[number].credit += size

    def end(self, reason: End) -> None:
        if not self.life.gone:
            self.life.asked_to_end.append(reason)

    def statistics(self) -> Statistics | None:
        if self.life.gone:
            return None
        return Statistics(
            0,
            0,
            0,
            self.figures.cpu_s,
            None,
            self.figures.busy_since_s,
            len(self.exchanges),
            self.figures.timers,
            self.id if self.figures.has_thread else 0,
        )

    # what it says by itself

    def tell_warm(self) -> None:
        self.figures.has_thread = True
        self.listener.on_warm(1000)

    def tell_ready(self, *, has_handler: bool = True) -> None:
        self.listener.on_ready(2000, has_handler=has_handler)

    def respond(self, number: int, wire: bytes = b"HTTP/1.1 204 No Content\r\n\r\n") -> None:
        exchange = self.exchanges.pop(number, None)
        if exchange is not None:
            exchange.response(wire, False)

    def begin(self, number: int) -> None:
        """A streamed response's head."""
        self.streaming.add(number)
        cast(Exchange, self.exchanges[number]).response_head(b"HTTP/1.1 200 OK\r\n\r\n", False)

    def finish(self, number: int) -> None:
        """A streamed response's end."""
        exchange = self.exchanges[number]
        self.forget(number)
        exchange.response_end(b"")

    def fail(self, number: int, message: bytes = b"Error: no") -> None:
        exchange = self.exchanges[number]
        self.forget(number)
        self.listener.on_failed(number, exchange, message)

    def vanish(self) -> None:
        """Its thread is over, and nobody was told yet."""
        self.life.gone = True

    def exit(self, end: Exit | ExitReason) -> None:
        self.life.gone = True
        told = end if isinstance(end, Exit) else Exit(end)
        self.listener.on_exit(told if told.cpu_s is not None else replace(told, cpu_s=self.figures.cpu_s))

    def obey(self) -> None:
        """Ends for the last reason it was asked for."""
        self.exit(_REASONS[self.life.asked_to_end[-1]])


class FakeIsolates:
    """Makes them; `threads_left` of None is any number."""

    def __init__(self, threads_left: int | None = None) -> None:
        self.threads_left = threads_left
        self.warm = True  # whether they have threads as soon as they are made
        self.made: list[FakeIsolate] = []

    def create(self, listener: IsolateListener) -> FakeIsolate:
        self.made.append(FakeIsolate(len(self.made) + 1, listener))
        self.last.figures.has_thread = self.warm
        if self.threads_left == 0:
            self.last.figures.has_thread = False
            no_thread = Exit(ExitReason.NO_THREAD, message="cannot start a thread: Resource temporarily unavailable")
            asyncio.get_running_loop().call_soon(self.last.exit, no_thread)
        elif self.threads_left is not None:
            self.threads_left -= 1
        return self.made[-1]

    @property
    def last(self) -> FakeIsolate:
        return self.made[-1]
