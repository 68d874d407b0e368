"""How many console lines a task may write: a burst, then so many a second; the rest is dropped, counted and told."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

# A person reads some 10 lines a second and a program that logs each of 200 requests a second stays whole; what the
# host spends on a task's lines stays below 1 % of a core (20 us a line).
LINES_PER_S = 200.0
# A stack trace or a start that tells its settings comes at once and is worth having whole.
BURST = 1000.0
TELL_S = 1.0  # losses are told at most so often, so that telling them does not flood either


class _Bucket:
    """Of one task."""

    __slots__ = ("at", "dropped", "left", "untold")

    def __init__(self, burst: float, now: float) -> None:
        self.left = burst  # lines
        self.at = now  # when that was so
        self.dropped = 0
        self.untold = 0  # of those


class ConsoleRate:
    """One for all tasks. Loop thread. The loop's clock is the only one: a burst while the loop stood still is one."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        on_dropped: Callable[[str, int], None],
        *,
        per_s: float | None = LINES_PER_S,
        burst: float = BURST,
    ) -> None:
        """`on_dropped(task, lines)` hears of losses, a second after the first at the latest; None = no limit."""
        self._loop = loop
        self._on_dropped = on_dropped
        self._per_s = per_s
        self._burst = burst
        self._buckets: dict[str, _Bucket] = {}
        self._timer: asyncio.TimerHandle | None = None

    def admits(self, task: str, payload: bytes) -> bool:
        """Whether a console call may be told; False counts its lines as dropped.

        A call with more lines than the burst is let through by a full bucket: it takes all that there is.
        """
        if self._per_s is None:
            return True
        bucket = self._bucket(task)
        now = self._loop.time()
        left = min(self._burst, bucket.left + (now - bucket.at) * self._per_s)
        bucket.at = now
        lines = payload.count(b"\n") + 1
        cost = min(float(lines), self._burst)
        if cost <= left:
            bucket.left = left - cost
            return True
        bucket.left = left
        bucket.untold += lines
        bucket.dropped += lines
        if self._timer is None:
            self._timer = self._loop.call_later(TELL_S, self._tell)
        return False

    def dropped(self, task: str) -> int:
        """How many lines of it were dropped so far."""
        bucket = self._buckets.get(task)
        return 0 if bucket is None else bucket.dropped

    def remove(self, task: str) -> None:
        """Forgets a task, telling what it lost."""
        bucket = self._buckets.pop(task, None)
        if bucket is not None and bucket.untold:
            self._on_dropped(task, bucket.untold)

    def close(self) -> None:
        """Tells what is untold, and looks no more."""
        if self._timer is not None:
            self._timer.cancel()
            self._tell()

    def _bucket(self, task: str) -> _Bucket:
        bucket = self._buckets.get(task)
        if bucket is None:
            bucket = self._buckets[task] = _Bucket(self._burst, self._loop.time())
        return bucket

    def _tell(self) -> None:
        self._timer = None
        for task, bucket in list(self._buckets.items()):
            if bucket.untold:
                untold, bucket.untold = bucket.untold, 0
                self._on_dropped(task, untold)
