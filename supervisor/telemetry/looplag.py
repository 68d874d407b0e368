"""How late the event loop comes to its work: what a task that waits for the host would feel."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Self

STEP_S = 0.05  # 20 looks a second: 0.04 % of a core
WINDOW_S = 60.0


class LoopLag:
    """Asks the loop for a call every 50 ms and remembers for a minute by how much each came late. Loop thread.

    While it is entered it looks. A loop that stands still is one late call, not many: the p99 tells how often it is
    slow, `worst` how slow.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        clock: Callable[[], float],
        *,
        step_s: float = STEP_S,
        window_s: float = WINDOW_S,
    ) -> None:
        """`clock` tells seconds and runs while the loop stands still (uvloop's own time does not)."""
        self._loop = loop
        self._clock = clock
        self._step_s = step_s
        self._samples: deque[tuple[float, float]] = deque()  # when, how late
        self._window_s = window_s
        self._due = 0.0
        self._timer: asyncio.TimerHandle | None = None

    def __enter__(self) -> Self:
        self._schedule()
        return self

    def __exit__(self, *exception: object) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def p99(self) -> float:
        """Seconds that 99 of 100 calls of the last minute were late at most; 0 before the first."""
        lates = sorted(late for _, late in self._kept())
        return lates[(len(lates) - 1) * 99 // 100] if lates else 0.0

    def worst(self) -> float:
        """The latest call of the last minute, seconds."""
        return max((late for _, late in self._kept()), default=0.0)

    def _schedule(self) -> None:
        self._due = self._clock() + self._step_s
        self._timer = self._loop.call_later(self._step_s, self._look)

    def _look(self) -> None:
        now = self._clock()
        self._samples.append((now, max(0.0, now - self._due)))
        self._kept()
        self._schedule()

    def _kept(self) -> deque[tuple[float, float]]:
        oldest = self._clock() - self._window_s
        while self._samples and self._samples[0][0] < oldest:
            self._samples.popleft()
        return self._samples
