"""Blocked scripts of this host, and who is told when one may be started again."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable

from supervisor.pool.blocked import BLOCKED_FOR_S, Block, BlockList, SavedBlock

EXPIRED = "its block expired"
LIFTED = "its block was lifted"


class Blocks:
    """A BlockList on the loop's clock; `on_released(block, why)` hears of every block that ends. Loop thread."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        on_released: Callable[[Block, str], None],
        *,
        lasts_s: float = BLOCKED_FOR_S,
    ) -> None:
        self._loop = loop
        self._on_released = on_released
        self._list = BlockList(lasts_s)
        self._timer: asyncio.TimerHandle | None = None

    def add(self, sources: str, *, task_id: str, reason: str) -> Block:
        """Blocks `sources` from now on."""
        block = self._list.add(sources, task_id=task_id, reason=reason, now=self._loop.time())
        self._expire()
        return block

    def load(self, saved: Iterable[SavedBlock]) -> None:
        """Goes on with blocks of an earlier process; nobody is told of those that are over."""
        self._list.load(saved, self._loop.time())
        self._expire()

    def find(self, sources: str) -> Block | None:
        """Returns the block of `sources`, if there is one now."""
        return self._list.find(sources, self._loop.time())

    def blocks(self) -> tuple[Block, ...]:
        """Returns all that have not expired, oldest first."""
        now = self._loop.time()
        return tuple(block for block in self._list.blocks() if block.until > now)

    def release(self, which: str) -> tuple[Block, ...]:
        """Lifts blocks as BlockList.release() does."""
        lifted = self._list.release(which)
        for block in lifted:
            self._on_released(block, LIFTED)
        return lifted

    def close(self) -> None:
        """Tells of no more that expire."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _expire(self) -> None:
        """Lets go of those that are over, and sets the timer for the next one."""
        self.close()
        for block in self._list.take_expired(self._loop.time()):
            self._on_released(block, EXPIRED)
        end = self._list.next_end()
        if end is not None:
            self._timer = self._loop.call_at(end, self._expire)
