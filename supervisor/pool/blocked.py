"""Scripts that are not started again on this host for now: pure, time is a parameter.

A script whose thread had to be parked costs its process that thread, its memory and its mappings for good. So its
sources, known by their hash, are blocked, whatever task they come with, until the block expires or is released. Other
sources are other programs: a task whose files changed starts again.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

# Long enough that a client's retries park a few threads a day, short enough that nobody has to be woken for it.
BLOCKED_FOR_S = 3600.0
# A blocked task is booted at most so often to see whether its files changed; nothing of the old ones is run then.
LOOK_AGAIN_S = 5.0
# Each costs a line in every boot. More than a process has threads to park before it hands over.
MOST_BLOCKS = 1000


@dataclass(frozen=True, slots=True)
class Block:
    """One of them. Times are seconds of the caller's clock."""

    sources: str  # the hash, hex
    task_id: str  # the task that ran it
    reason: str  # what it did: an ExitReason's value
    since: float
    until: float

    def left_s(self, now: float) -> float:
        """Returns the seconds until it expires."""
        return max(0.0, self.until - now)


class BlockList:
    """Blocks by the hash of their sources, oldest first."""

    def __init__(self, lasts_s: float = BLOCKED_FOR_S) -> None:
        self._lasts_s = lasts_s
        self._blocks: dict[str, Block] = {}

    def add(self, sources: str, *, task_id: str, reason: str, now: float) -> Block:
        """Blocks `sources` from now on; again, if they are blocked already."""
        self._blocks.pop(sources, None)
        block = self._blocks[sources] = Block(sources, task_id, reason, now, now + self._lasts_s)
        if len(self._blocks) > MOST_BLOCKS:
            del self._blocks[next(iter(self._blocks))]
        return block

    def find(self, sources: str, now: float) -> Block | None:
        """Returns the block of `sources`, if there is one that has not expired."""
        block = self._blocks.get(sources)
        return block if block is not None and block.until > now else None

    def blocks(self, now: float) -> tuple[Block, ...]:
        """Returns all that have not expired, oldest first, and forgets the others."""
        self._blocks = {sources: block for sources, block in self._blocks.items() if block.until > now}
        return tuple(self._blocks.values())

    def release(self, which: str) -> tuple[Block, ...]:
        """Lifts the block of a hash, or all blocks of a task; returns those lifted."""
        lifted = tuple(block for block in self._blocks.values() if which in (block.sources, block.task_id))
        self._drop(block.sources for block in lifted)
        return lifted

    def _drop(self, hashes: Iterable[str]) -> None:
        for sources in hashes:
            del self._blocks[sources]
