"""When a task has nothing to do: seen by looking now and then, so that a request costs nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

# A task is idle for between `idle` and `idle` plus one look before it is noticed.
LOOKS_PER_LIMIT = 4
# A thousand tasks that ask for the shortest times make 10,000 looks of a microsecond or two per second.
SHORTEST_LOOK_S = 0.1


class Idleness:
    """Calls `on_idle` with the milliseconds of idleness once they reach `limit_ms`; None: never. Loop thread."""

    __slots__ = ("_activity", "_is_busy", "_limit_s", "_loop", "_on_idle", "_seen", "_since", "_step_s", "_timer")

    def __init__(
        self,
        limit_ms: float | None,
        loop: asyncio.AbstractEventLoop,
        *,
        activity: Callable[[], int],
        is_busy: Callable[[], bool],
        on_idle: Callable[[float], None],
    ) -> None:
        """`activity` is a count that rises with everything a task is asked; `is_busy`: whether it has work now."""
        self._limit_s = None if limit_ms is None else limit_ms / 1000
        self._step_s = max(SHORTEST_LOOK_S, (self._limit_s or 0.0) / LOOKS_PER_LIMIT)
        self._loop = loop
        self._activity = activity
        self._is_busy = is_busy
        self._on_idle = on_idle
        self._seen = 0
        self._since = 0.0
        self._timer: asyncio.TimerHandle | None = None

    def watch(self) -> None:
        """From now on; what came before does not count."""
        self.stop()
        if self._limit_s is not None:
            self._rest_from(self._loop.time())
            self._look_later(self._loop.time())

    def stop(self) -> None:
        """No more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _look(self) -> None:
        assert self._limit_s is not None
        self._timer = None
        now = self._loop.time()
        if self._activity() != self._seen or self._is_busy():
            self._rest_from(now)
        elif now - self._since >= self._limit_s:
            self._on_idle((now - self._since) * 1000)
            return
        self._look_later(now)

    def _rest_from(self, now: float) -> None:
        self._since = now
        self._seen = self._activity()

    def _look_later(self, now: float) -> None:
        assert self._limit_s is not None
        left_s = self._since + self._limit_s - now
        # A microsecond more: a timer that fires a rounding too early would only set itself again.
        self._timer = self._loop.call_later(min(self._step_s, left_s + 1e-6), self._look)
