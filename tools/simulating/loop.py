"""Coroutines on a virtual clock: a heap of moments, and nothing ever waits.

About five times as fast as asyncio on a jumping clock, since it knows only two kinds of waiting: for a moment, and for
other coroutines. Every coroutine belongs to a life (of a host); when that ends, its coroutines end with `Dead` at their
next pause.
"""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Coroutine, Generator
from types import coroutine
from typing import Any


class Dead(BaseException):  # not an Exception: nobody may catch it by accident
    """The host that this ran on is no more."""


class Life:
    """From a host's start to its crash or power-off."""

    __slots__ = ("is_over",)

    def __init__(self) -> None:
        self.is_over = False


class Strand:
    """A coroutine under way."""

    __slots__ = ("coroutine", "error", "is_done", "life", "result", "token", "waiter")

    def __init__(self, running: Coroutine[Any, Any, Any], life: Life) -> None:
        self.coroutine = running
        self.life = life
        self.waiter: _Waiting | None = None
        self.is_done = False
        self.result: Any = None
        self.error: BaseException | None = None
        self.token = 0  # of its latest pause: an older one does not wake it

    def cancel(self) -> None:
        """Ends it at its next pause."""
        self.life = _CANCELLED


_CANCELLED = Life()
_CANCELLED.is_over = True


class _Waiting:
    """A strand that waits for others; `until`: or for a moment."""

    __slots__ = ("left", "parent", "strands", "token", "until")

    def __init__(self, strands: list[Strand], until: float | None) -> None:
        self.strands = strands
        self.left = 0
        self.parent: Strand | None = None
        self.token = 0  # of the parent's pause
        self.until = until


class VirtualTime:
    """The clock and everything that runs on it. `defects` collects what ended by an error nobody waited for."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.turns = 0
        self.defects: list[str] = []
        self._heap: list[tuple[float, int, Strand, int]] = []
        self._ready: deque[tuple[Strand, Any, BaseException | None]] = deque()
        self._number = 0

    def start(self, running: Coroutine[Any, Any, Any], life: Life) -> Strand:
        """Runs it from this moment on."""
        strand = Strand(running, life)
        self._ready.append((strand, None, None))
        return strand

    def begin(self, running: Coroutine[Any, Any, Any], life: Life) -> Strand:
        """Runs it up to its first pause at once: most answers to calls need none."""
        strand = Strand(running, life)
        self._step(strand, None, None, is_waited_for=True)
        return strand

    def run_until(self, end: float) -> None:
        """Lets time pass."""
        self._run_ready()
        heap = self._heap
        while heap and heap[0][0] <= end:
            self.now, _, strand, token = heapq.heappop(heap)
            if strand.token == token and not strand.is_done:
                self._ready.append((strand, None, None))
                self._run_ready()
        self.now = end

    @coroutine
    def pause(self, seconds: float) -> Generator[float]:
        """Waits so long."""
        yield seconds

    @coroutine
    def all_of(self, strands: list[Strand], until: float | None = None) -> Generator[_Waiting]:
        """Waits until all are done, or until that moment."""
        yield _Waiting(strands, until)

    def _run_ready(self) -> None:
        ready = self._ready
        while ready:
            strand, value, error = ready.popleft()
            if not strand.is_done:
                self._step(strand, value, error)

    def _step(self, strand: Strand, value: Any, error: BaseException | None, *, is_waited_for: bool = False) -> None:
        self.turns += 1
        strand.token += 1
        if strand.life.is_over:
            error = Dead()
        try:
            asked = strand.coroutine.send(value) if error is None else strand.coroutine.throw(error)
        except StopIteration as end:
            self._finish(strand, end.value, None, is_waited_for=is_waited_for)
        except BaseException as problem:  # noqa: BLE001 - it belongs to whoever waits
            self._finish(strand, None, problem, is_waited_for=is_waited_for)
        else:
            self._wait(strand, asked)

    def _wait(self, strand: Strand, asked: float | _Waiting) -> None:
        if isinstance(asked, _Waiting):
            asked.parent, asked.token = strand, strand.token
            for other in asked.strands:
                if not other.is_done:
                    other.waiter = asked
                    asked.left += 1
            if asked.left == 0:
                self._ready.append((strand, None, None))
                return
            if asked.until is None:
                return
            moment = asked.until
        else:
            moment = self.now + asked
        self._number += 1
        heapq.heappush(self._heap, (moment, self._number, strand, strand.token))

    def _finish(self, strand: Strand, result: Any, error: BaseException | None, *, is_waited_for: bool) -> None:
        strand.is_done, strand.result, strand.error = True, result, error
        waiting = strand.waiter
        if waiting is None:
            if error is not None and not is_waited_for and not isinstance(error, Dead):
                self.defects.append(repr(error))
            return
        waiting.left -= 1
        if waiting.left == 0 and waiting.parent is not None and waiting.parent.token == waiting.token:
            self._ready.append((waiting.parent, None, None))


class HostScheduler:
    """The cluster's Scheduler for one life of a host."""

    def __init__(self, time: VirtualTime, life: Life) -> None:
        self._time = time
        self._life = life

    def now(self) -> float:
        """Virtual seconds."""
        return self._time.now

    async def sleep(self, seconds: float) -> None:
        """Waits; Dead if the host dies meanwhile."""
        await self._time.pause(seconds)
        if self._life.is_over:
            raise Dead

    def start(self, running: Coroutine[Any, Any, None]) -> Strand:
        """On this host."""
        return self._time.start(running, self._life)

    async def together[T](self, *awaitables: Coroutine[Any, Any, T]) -> list[T]:
        """On this host, at the same time."""
        if len(awaitables) == 1:
            return [await awaitables[0]]
        strands = [self._time.start(each, self._life) for each in awaitables]
        await self._time.all_of(strands)
        for strand in strands:
            if strand.error is not None:
                raise strand.error
        return [strand.result for strand in strands]
