"""A slot on fake isolates, and what it tells its observer."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from itertools import count
from typing import Any

from supervisor.pool.blocked import Block
from supervisor.pool.blocks import Blocks
from supervisor.pool.exchange import Failure, RequestRefused
from supervisor.pool.parts import SlotParts
from supervisor.pool.room import PoolLimits, Room
from supervisor.pool.run import Placer
from supervisor.pool.slot import Slot
from supervisor.pool.states import TaskState
from supervisor.spec.exits import Exit
from supervisor.spec.task import TaskSpec
from tests.fakes.exchange import FakeExchange
from tests.fakes.isolates import FakeIsolate, FakeIsolates

# Limits are far apart, so that a test sees which one counted.
WALL_MS, STARTUP_MS = 300.0, 1000.0


def task(**settings: Any) -> TaskSpec:
    limits = {"cpu": {"wall": WALL_MS, "startup": STARTUP_MS}}
    defaults: dict[str, Any] = {
        "taskId": "t",
        "mainPath": "a.js",
        "pwd": "/tmp",
        "listen": ["127.0.0.1:0"],
        "limits": limits,
    }
    defaults |= {"idle": None}  # a test that is about it says so
    return TaskSpec.model_validate(defaults | settings)


class FakeObserver:
    """Implements SlotObserver."""

    def __init__(self) -> None:
        self.ready: list[float] = []
        self.states: list[tuple[TaskState, TaskState, str]] = []
        self.late_ids: list[tuple[str, ...]] = []
        self.error_ids: list[str | None] = []
        self.released: list[Block] = []
        self.console: list[tuple[int, bytes]] = []
        self.errors: list[str] = []
        self.late: list[int] = []
        self.ends: list[Exit] = []
        self.blocks: list[Block] = []

    def on_state(self, slot: Slot, before: TaskState, after: TaskState, why: str) -> None:
        self.states.append((before, after, why))

    def on_ready(self, slot: Slot, milliseconds: float) -> None:
        self.ready.append(milliseconds)

    def on_console(self, slot: Slot, level: int, text: bytes) -> None:
        self.console.append((level, text))

    def on_handler_error(self, slot: Slot, message: str, request: str | None) -> None:
        self.errors.append(message)
        self.error_ids.append(request)

    def on_late(self, slot: Slot, count: int, requests: tuple[str, ...]) -> None:
        self.late.append(count)
        self.late_ids.append(requests)

    def on_end(self, slot: Slot, end: Exit) -> None:
        self.ends.append(end)

    def on_blocked(self, slot: Slot, block: Block) -> None:
        self.blocks.append(block)

    def on_released(self, block: Block) -> None:
        self.released.append(block)


@dataclass
class Case:
    """One slot and all around it."""

    slot: Slot
    isolates: FakeIsolates
    observer: FakeObserver
    blocks: Blocks
    room: Room

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


def slot_of(
    spec: TaskSpec | None = None,
    *,
    threads_left: int | None = None,
    limits: PoolLimits | None = None,
    placer: Placer | None = None,
) -> Case:
    """A slot alone; its clock for people shows the loop's time."""
    isolates, observer, loop = FakeIsolates(threads_left), FakeObserver(), asyncio.get_running_loop()
    slots: list[Slot] = []

    def on_released(block: Block, why: str) -> None:
        slots[0].on_released(block, why)

    blocks = Blocks(loop, on_released)
    room = Room(limits or PoolLimits(), loop)
    refused = {"host-full": 0, "queue-full": 0}
    parts = SlotParts(
        isolates.create,
        count(1),
        observer,
        observer.on_state,
        loop,
        loop.time,
        blocks,
        room,
        placer,
        refused,
    )
    slots.append(Slot(spec or task(), parts))
    return Case(slots[0], isolates, observer, blocks, room)
