"""The last so many things that happened, numbered, for readers who each go at their own pace.

Nobody has a queue of their own: a reader is a number, and what it has not read yet is in the ring that all share. One
that is too slow finds that the ring has moved on; it is told how much it missed and goes on with the oldest that is
left. So a reader costs nothing to the writer, and no reader can hold anything back.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from itertools import islice
from typing import Protocol, Self


class Sized(Protocol):
    """What a ring can keep."""

    @property
    def size(self) -> int:
        """Bytes that count against the ring's bound."""


class Ring[T: Sized]:
    """At most `most` items of at most `most_bytes` together. One thread, whose loop its readers run on."""

    def __init__(self, most: int, most_bytes: int | None = None, *, first: int = 1) -> None:
        """`first` is the number of the first item."""
        self._most = most
        self._most_bytes = most_bytes
        self._items: deque[T] = deque()
        self.bytes = 0
        self.next = first  # the number of the next item
        self.closed = False
        self._waiting: set[asyncio.Future[None]] = set()

    def __len__(self) -> int:
        return len(self._items)

    @property
    def oldest(self) -> int:
        """The number of the oldest item that is kept; `next` if there is none."""
        return self.next - len(self._items)

    def append(self, item: T) -> None:
        """Adds an item, and drops the oldest until the bounds hold; the item itself stays, whatever its size."""
        self._items.append(item)
        self.bytes += item.size
        self.next += 1
        if len(self._items) > self._most:
            self._drop()
        if self._most_bytes is not None:
            while self.bytes > self._most_bytes and len(self._items) > 1:
                self._drop()
        if self._waiting:
            self.wake()

    def halve(self) -> None:
        """Drops the older half."""
        for _ in range((len(self._items) + 1) // 2):
            self._drop()

    def _drop(self) -> None:
        self.bytes -= self._items.popleft().size

    def last(self, count: int) -> list[T]:
        """The last `count` items, or as many as there are, oldest first."""
        skipped = max(0, len(self._items) - max(0, count))
        return list(islice(self._items, skipped, None))

    def get(self, number: int) -> T:
        """The item of that number. IndexError if it is not kept."""
        place = number - self.oldest
        if place < 0:
            raise IndexError(number)
        return self._items[place]

    def close(self) -> None:
        """Nothing will come any more: readers end when they have read what is left."""
        self.closed = True
        self.wake()

    async def wait(self) -> None:
        """Returns when something was added, or at the close."""
        if self.closed:
            return
        future = asyncio.get_running_loop().create_future()
        self._waiting.add(future)
        try:
            await future
        finally:
            self._waiting.discard(future)

    def wake(self) -> None:
        """Lets those who wait look again."""
        waiting, self._waiting = self._waiting, set()
        for future in waiting:
            if not future.done():
                future.set_result(None)


class Reader[T: Sized, V](AsyncIterator[V]):
    """Reads a ring from a number on, as values of its own kind. For one caller at a time.

    Cancelling a wait for the next value loses nothing, so `asyncio.timeout` around it is fine.
    """

    def __init__(self, ring: Ring[T], start: int, value: Callable[[T], V], missed: Callable[[int, int], V]) -> None:
        """`missed` makes the value that tells of items that are gone: the first and the last number of them."""
        self._ring = ring
        self._next = start
        self._value = value
        self._missed = missed
        self._closed = False

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> V:
        ring = self._ring
        while self._next >= ring.next and not self._closed:
            if ring.closed:
                raise StopAsyncIteration
            await ring.wait()
        if self._closed:
            raise StopAsyncIteration
        if self._next < ring.oldest:
            first, self._next = self._next, ring.oldest
            return self._missed(first, self._next - 1)
        item = ring.get(self._next)
        self._next += 1
        return self._value(item)

    async def aclose(self) -> None:
        """Ends it, also while somebody waits for the next value."""
        self._closed = True
        self._ring.wake()
