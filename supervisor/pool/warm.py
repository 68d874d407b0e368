"""Isolates that wait, booted from the snapshot, for a task."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable

from supervisor.engine.exchange import Answered
from supervisor.engine.isolate import End, Isolate, IsolateListener
from supervisor.spec.exits import Exit

# The next isolate is made a moment after one was taken, so that it does not compete with the boot that took it.
REFILL_DELAY_S = 0.02


class _Waiting:
    """Listens to an isolate that has no task."""

    def __init__(self, pool: WarmPool) -> None:
        self._pool = pool
        self.isolate: Isolate | None = None

    def on_warm(self, microseconds: int) -> None:
        assert self.isolate is not None
        self._pool.add(self.isolate)

    def on_exit(self, end: Exit) -> None:
        assert self.isolate is not None
        self._pool.forget(self.isolate)

    def on_ready(self, microseconds: int, *, has_handler: bool) -> None:
        raise AssertionError("an isolate without a task became ready")

    def on_log(self, level: int, text: bytes) -> None:
        pass  # the runtime itself has nothing to say to a tenant

    def on_failed(self, number: int, exchange: Answered, message: bytes) -> None:
        raise AssertionError("an isolate without a task had a request")


class WarmPool:
    """Keeps `target` isolates warm. `create(listener)` makes one; loop thread."""

    def __init__(self, create: Callable[[IsolateListener], Isolate], target: int) -> None:
        self._create = create
        self._target = target
        self._warm: deque[Isolate] = deque()
        self._making: set[int] = set()
        self._refill: asyncio.TimerHandle | None = None
        self._closed = False

    def __len__(self) -> int:
        return len(self._warm)

    def take(self, listener: IsolateListener) -> Isolate:
        """Returns a warm isolate, or makes one: booting works for both."""
        isolate = self._warm.popleft() if self._warm else None
        self._refill_soon()
        if isolate is None:
            return self._create(listener)
        isolate.listener = listener
        return isolate

    def fill(self) -> None:
        """Makes what is missing. A machine that has no threads left keeps what it has."""
        self._refill = None
        while not self._closed and len(self._warm) + len(self._making) < self._target:
            waiting = _Waiting(self)
            waiting.isolate = self._create(waiting)
            self._making.add(waiting.isolate.id)

    def close(self) -> None:
        """Ends all warm isolates and makes no more."""
        self._closed = True
        if self._refill is not None:
            self._refill.cancel()
        for isolate in self._warm:
            isolate.end(End.KILLED)

    def add(self, isolate: Isolate) -> None:
        """It became warm."""
        self._making.discard(isolate.id)
        if self._closed:
            isolate.end(End.KILLED)
        else:
            self._warm.append(isolate)

    def forget(self, isolate: Isolate) -> None:
        """It ended before it was used."""
        self._making.discard(isolate.id)
        if isolate in self._warm:
            self._warm.remove(isolate)

    def _refill_soon(self) -> None:
        if self._refill is None and not self._closed and self._target > 0:
            self._refill = asyncio.get_running_loop().call_later(REFILL_DELAY_S, self.fill)
