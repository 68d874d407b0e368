"""What is to be done from when on, so that a look at it costs nothing while nothing is due."""

from __future__ import annotations

import heapq


class Agenda:
    """Keys, each with one moment: of two moments that are given for a key the earlier one counts."""

    def __init__(self) -> None:
        self._at: dict[str, float] = {}
        self._heap: list[tuple[float, str]] = []  # with entries that are out of date: `_at` is the truth

    def __len__(self) -> int:
        return len(self._at)

    def __contains__(self, key: str) -> bool:
        return key in self._at

    def add(self, key: str, at: float) -> None:
        """To be done at that moment, if not sooner."""
        if at < self._at.get(key, float("inf")):
            self._at[key] = at
            heapq.heappush(self._heap, (at, key))

    def drop(self, key: str) -> None:
        """Not to be done; no-op if it was not."""
        self._at.pop(key, None)

    def is_due(self, now: float) -> bool:
        """Whether take() would return any."""
        heap = self._heap
        while heap and self._at.get(heap[0][1]) != heap[0][0]:
            heapq.heappop(heap)
        return bool(heap) and heap[0][0] <= now

    def take(self, now: float, most: int | None = None) -> list[str]:
        """Takes out what is due, the earliest first, `most` at a time (None: all)."""
        taken: list[str] = []
        while len(taken) != most and self.is_due(now):
            _, key = heapq.heappop(self._heap)
            del self._at[key]
            taken.append(key)
        return taken
