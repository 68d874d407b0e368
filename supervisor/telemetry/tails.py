"""The last lines of each task's console, and of what the host said about it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from supervisor.spec.views import LogChunk, LogLine
from supervisor.telemetry.logs import LEVELS, tenant_text
from supervisor.telemetry.ring import Reader, Ring

LINES = 1000
BYTES = 256 * 1024
# Of all tasks together: the tails of 256 tasks that print all they may, or 64 KiB for each of 1,000.
BYTES_OF_ALL = 64 * 2**20
# What a successor gets of them, in the moment in which nobody answers requests: 5 to 9 ms to encode (measured).
SAVED_LINES = 100
SAVED_BYTES = 2**20
# What a line costs besides its text: a tuple, its numbers and the object that holds the text (measured, 64-bit).
_OVERHEAD = 160


class _Line(NamedTuple):
    time: float
    level: int
    source: str
    text: bytes  # UTF-8: half of what a str with one character beyond Latin-1 takes
    request: str | None

    @property
    def size(self) -> int:
        return len(self.text) + _OVERHEAD


class Tails:
    """The tails of all tasks. Loop thread. Texts are as they were written: escape them before a terminal sees them."""

    def __init__(
        self, now: Callable[[], float], *, lines: int = LINES, size: int = BYTES, size_of_all: int = BYTES_OF_ALL
    ) -> None:
        """`now` tells seconds since 1970; `size` and `size_of_all` are bytes, of one task and of all of them."""
        self._now = now
        self._lines = lines
        self._size = size
        self._size_of_all = size_of_all
        self._tails: dict[str, Ring[_Line]] = {}
        self.bytes = 0

    def console(self, task: str, level: int, payload: bytes) -> None:
        """A console call of its program; `level` is the engine's, `payload` of any kind and size."""
        self._add(task, _Line(self._now(), min(max(level, 0), 3), "console", tenant_text(payload).encode(), None))

    def host(self, task: str, level: int, text: str, request: str | None = None) -> None:
        """Something that the host has to say about it; `request` is the id of the request that it is about."""
        self._add(task, _Line(self._now(), level, "host", text.encode(errors="replace"), request))

    def tail(self, task: str, count: int) -> LogChunk:
        """Its last `count` lines, oldest first, and how many are not kept any more."""
        ring = self._tails.get(task)
        if ring is None:
            return LogChunk(lines=())
        return LogChunk(lines=tuple(map(_view, ring.last(count))), dropped=ring.oldest - 1)

    def follow(self, task: str) -> Reader[_Line, LogLine]:
        """Its lines from now on, until it is removed. What a slow reader misses is told by a line of the host."""
        ring = self._ring(task)
        return Reader(ring, ring.next, _view, self._missed)

    def saved(self) -> dict[str, Any]:
        """The last lines of each task for the process after this one, as JSON has them; see restore()."""
        share = SAVED_BYTES // max(1, len(self._tails))
        return {task: _saved(ring, share) for task, ring in self._tails.items()}

    def restore(self, saved: Mapping[str, Any]) -> None:
        """Puts the lines that another process saved before those that are here. To be called before anybody reads."""
        for task, (dropped, lines) in saved.items():
            later = self._tails.get(task)
            ring = self._tails[task] = Ring(self._lines, self._size, first=dropped + 1)
            self.bytes -= 0 if later is None else later.bytes
            self.bytes += ring.bytes
            for time, level, source, text, request in lines:
                self._add(task, _Line(time, level, source, text.encode(), request))
            for line in () if later is None else later.last(len(later)):
                self._add(task, line)

    def remove(self, task: str) -> None:
        """Forgets its lines; who follows them is at the end."""
        ring = self._tails.pop(task, None)
        if ring is not None:
            self.bytes -= ring.bytes
            ring.close()

    def close(self) -> None:
        """Who follows lines is at the end."""
        for ring in self._tails.values():
            ring.close()

    def _ring(self, task: str) -> Ring[_Line]:
        ring = self._tails.get(task)
        if ring is None:
            ring = self._tails[task] = Ring(self._lines, self._size)
        return ring

    def _add(self, task: str, line: _Line) -> None:
        ring = self._ring(task)
        before = ring.bytes
        ring.append(line)
        self.bytes += ring.bytes - before
        while self.bytes > self._size_of_all:
            self._shorten_longest()

    def _shorten_longest(self) -> None:
        """Who has most gives most. Half of it at once, so that looking for it is rare."""
        longest = max(self._tails.values(), key=lambda ring: ring.bytes)
        before = longest.bytes
        longest.halve()
        self.bytes += longest.bytes - before

    def _missed(self, first: int, last: int) -> LogLine:
        count = last - first + 1
        words = "1 line was" if count == 1 else f"{count} lines were"
        return LogLine(
            time=self._now(), level="warning", source="host", text=f"{words} skipped: the reader is too slow"
        )


def _saved(ring: Ring[_Line], size: int) -> tuple[int, list[tuple[float, int, str, str, str | None]]]:
    """How many of its lines are left out, and the others."""
    kept: list[_Line] = []
    for line in reversed(ring.last(SAVED_LINES)):
        size -= line.size
        if size < 0:
            break
        kept.append(line)
    lines = [(line.time, line.level, line.source, line.text.decode(), line.request) for line in reversed(kept)]
    return ring.next - 1 - len(kept), lines


def _view(line: _Line) -> LogLine:
    return LogLine(
        time=line.time, level=LEVELS[line.level], source=line.source, text=line.text.decode(), request=line.request
    )
