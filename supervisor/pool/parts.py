"""What the slots of a host work with, all of them the same."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from supervisor.engine.isolate import Isolate, IsolateListener
from supervisor.pool.blocks import Blocks
from supervisor.pool.observer import SlotObserver
from supervisor.pool.room import Room
from supervisor.pool.run import Placer
from supervisor.pool.states import TaskState

if TYPE_CHECKING:
    from supervisor.pool.slot import Slot


@dataclass(frozen=True, slots=True)
class SlotParts:
    """The pool makes one."""

    take: Callable[[IsolateListener], Isolate]
    numbers: Iterator[int]  # of exchanges, unique in the process
    observer: SlotObserver
    on_state: Callable[[Slot, TaskState, TaskState, str], None]
    loop: asyncio.AbstractEventLoop
    unix_time: Callable[[], float]  # seconds since 1970
    blocks: Blocks
    room: Room
    placer: Placer | None
    refused: dict[str, int]  # requests, by the bound of the host that they were refused for
