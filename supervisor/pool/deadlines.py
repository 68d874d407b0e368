"""Time limits for many requests at the cost of one timer.

Nothing is done per request but to remember the last number. Now and then a mark is set: all numbers up to here came
before this moment. When a mark is older than the limit, everything up to its number that is still in flight is late. A
request is therefore ended between `limit` and `limit` plus one step after it came.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from itertools import takewhile

LONGEST_STEP_S = 0.25
SHORTEST_STEP_S = 0.005
STEPS_PER_LIMIT = 10


class Deadlines:
    """Calls `on_late` with the numbers of requests that are in flight for longer than `limit_ms`. Loop thread."""

    __slots__ = ("_in_flight", "_limit_s", "_loop", "_marks", "_on_late", "_step_s", "_timer", "last")

    def __init__(
        self,
        limit_ms: float | None,
        loop: asyncio.AbstractEventLoop,
        on_late: Callable[[list[int]], None],
        in_flight: Callable[[], list[int]],
    ) -> None:
        self._limit_s = None if limit_ms is None else limit_ms / 1000
        self._step_s = max(SHORTEST_STEP_S, min(LONGEST_STEP_S, (self._limit_s or 0.0) / STEPS_PER_LIMIT))
        self._loop = loop
        self._on_late = on_late
        self._in_flight = in_flight  # numbers in flight, oldest first
        self._marks: list[tuple[float, int]] = []  # at most some hundred
        self.last = 0  # number that came
        self._timer: asyncio.TimerHandle | None = None

    def note(self, number: int) -> None:
        """A request came; numbers only rise."""
        self.last = number
        if self._timer is None and self._limit_s is not None:
            self._timer = self._loop.call_later(self._step_s, self._look)

    def _look(self) -> None:
        assert self._limit_s is not None
        self._timer = None
        now = self._loop.time()
        numbers = self._in_flight()
        if not numbers:
            self._marks.clear()
            return
        if not self._marks or self._marks[-1][1] != self.last:
            self._marks.append((now, self.last))
        late_up_to = 0
        while self._marks and self._marks[0][0] <= now - self._limit_s:
            late_up_to = self._marks.pop(0)[1]
        self._timer = self._loop.call_later(self._step_s, self._look)
        late = list(takewhile(lambda number: number <= late_up_to, numbers))
        if late:
            self._on_late(late)
