"""Keeps what an isolate says, and lets a test wait for it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from supervisor.engine.exchange import Answered
from supervisor.spec.exits import Exit


class FakeListener:
    """Implements the engine's IsolateListener."""

    def __init__(self) -> None:
        self.warm_us: int | None = None
        self.ready_us: int | None = None
        self.has_handler: bool | None = None
        self.end: Exit | None = None
        self.log: list[tuple[int, str]] = []
        self.failed: dict[int, str] = {}
        self.violations: list[str] = []
        self._changed = asyncio.Event()

    def on_warm(self, microseconds: int) -> None:
        self.warm_us = microseconds
        self._note("on_warm")

    def on_ready(self, microseconds: int, *, has_handler: bool) -> None:
        self.ready_us, self.has_handler = microseconds, has_handler
        self._note("on_ready")

    def on_log(self, level: int, text: bytes) -> None:
        self.log.append((level, text.decode()))
        self._note("on_log")

    def on_failed(self, number: int, exchange: Answered, message: bytes) -> None:
        self.failed[number] = message.decode()
        self._note("on_failed")

    def on_exit(self, end: Exit) -> None:
        self._note("on_exit")
        self.end = end

    @property
    def lines(self) -> list[str]:
        """The texts of the console lines."""
        return [text for _, text in self.log]

    async def wait_until(self, condition: Callable[[FakeListener], bool]) -> None:
        """Returns once `condition` holds; it is looked at whenever the isolate says something."""
        while not condition(self):
            self._changed.clear()
            await self._changed.wait()

    def _note(self, what: str) -> None:
        if self.end is not None:
            self.violations.append(f"{what} after the end")
        self._changed.set()
