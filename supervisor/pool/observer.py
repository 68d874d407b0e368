"""Who is told what becomes of tasks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from supervisor.pool.blocked import Block
from supervisor.pool.states import TaskState
from supervisor.spec.exits import Exit

if TYPE_CHECKING:
    from supervisor.pool.slot import Slot


class SlotObserver(Protocol):
    """Loop thread. Must not raise, and may not start or stop tasks before it returns."""

    def on_state(self, slot: Slot, before: TaskState, after: TaskState, why: str) -> None:
        """Its task is in another state. Of a replacement nothing is told before it has its predecessor's place."""

    def on_ready(self, slot: Slot, milliseconds: float) -> None:
        """Its isolate is ready, so long after the boot began."""

    def on_console(self, slot: Slot, level: int, text: bytes) -> None:
        """It wrote a console line."""

    def on_handler_error(self, slot: Slot, message: str, request: str | None) -> None:
        """It failed to answer a request; `message` has the stack, `request` is the id that its client gave it."""

    def on_late(self, slot: Slot, count: int, requests: tuple[str, ...]) -> None:
        """It did not answer so many requests within limits.cpu.wall; `requests`: ids that clients gave the first."""

    def on_end(self, slot: Slot, end: Exit) -> None:
        """Its isolate is over. Not called when whoever started it hears a BootError instead."""

    def on_blocked(self, slot: Slot, block: Block) -> None:
        """Its script is not started again for now."""

    def on_released(self, block: Block) -> None:
        """A script may be started again."""
