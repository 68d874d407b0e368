"""A slot on fake isolates, and what it tells its observer."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from itertools import count
from typing import Any

from supervisor.pool.blocked import Block, BlockList
from supervisor.pool.exchange import Failure, RequestRefused
from supervisor.pool.slot import Slot, SlotParts
from supervisor.spec.exits import Exit
from supervisor.spec.task import TaskSpec
from tests.fakes.exchange import FakeExchange
from tests.fakes.isolates import FakeIsolate, FakeIsolates

# Limits are far apart, so that a test sees which one counted.
WALL_MS, STARTUP_MS = 300.0, 1000.0


def task(**settings: Any) -> TaskSpec:
    limits = {"cpu": {"wall": WALL_MS, "startup": STARTUP_MS}}
    defaults = {"taskId": "t", "mainPath": "a.js", "pwd": "/tmp", "listen": ["127.0.0.1:0"], "limits": limits}
    return TaskSpec.model_validate(defaults | settings)


class FakeObserver:
    """Implements SlotObserver."""

    def __init__(self) -> None:
        self.ready: list[float] = []
        self.console: list[tuple[int, bytes]] = []
        self.errors: list[str] = []
        self.late: list[int] = []
        self.ends: list[Exit] = []
        self.blocks: list[Block] = []

    def on_ready(self, slot: Slot, milliseconds: float) -> None:
        self.ready.append(milliseconds)

    def on_console(self, slot: Slot, level: int, text: bytes) -> None:
        self.console.append((level, text))

    def on_handler_error(self, slot: Slot, message: str) -> None:
        self.errors.append(message)

    def on_late(self, slot: Slot, count: int) -> None:
        self.late.append(count)

    def on_end(self, slot: Slot, end: Exit) -> None:
        self.ends.append(end)

    def on_blocked(self, slot: Slot, block: Block) -> None:
        self.blocks.append(block)


@dataclass
class Case:
    """One slot and all around it."""

    slot: Slot
    isolates: FakeIsolates
    observer: FakeObserver
    blocked: BlockList

    @property
    def isolate(self) -> FakeIsolate:
        return self.isolates.last

    def ask(self, exchange: FakeExchange | None = None, *, flags: int = 0) -> tuple[int, FakeExchange]:
        """One request; returns its number and who waits for the answer."""
        exchange = exchange or FakeExchange()
        return self.slot.request(exchange, flags, b"GET", b"/", b"Host\na\n", b""), exchange

    def failure_of_asking(self) -> Failure | None:
        """One more request; why it was refused, if it was."""
        try:
            self.ask()
        except RequestRefused as refused:
            return refused.failure
        return None

    def refusal(self) -> Failure:
        """One more request, which must be refused; why it was."""
        failure = self.failure_of_asking()
        assert failure is not None, "the request was taken"
        return failure

    async def started(self) -> Case:
        """Boots it."""
        starting = asyncio.create_task(self.slot.start())
        await asyncio.sleep(0)
        self.isolate.tell_ready()
        await starting
        return self


def slot_of(spec: TaskSpec | None = None, *, threads_left: int | None = None) -> Case:
    isolates, observer, blocked = FakeIsolates(threads_left), FakeObserver(), BlockList()
    parts = SlotParts(isolates.create, count(1), observer, asyncio.get_running_loop(), blocked)
    return Case(Slot(spec or task(), parts), isolates, observer, blocked)
