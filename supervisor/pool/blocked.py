"""Scripts that are not started again on this host for now: pure, time is a parameter.

A script whose thread had to be parked costs its process that thread, its memory and its mappings for good. So its
sources, known by their hash, are blocked, whatever task they come with, until the block expires or is released. Other
sources are other programs: a task whose files changed starts again.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

# Long enough that a client's retries park a few threads a day, short enough that nobody has to be woken for it.
BLOCKED_FOR_S = 3600.0
# A blocked task is booted at most so often to see whether its files changed; nothing of the old ones is run then.
LOOK_AGAIN_S = 5.0
# Each costs a line in every boot. More than a process has threads to park before it hands over.
MOST_BLOCKS = 1000
# A hash may be told by its beginning: 32 bits tell apart as many as there can be.
LEAST_DIGITS = 8


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


@dataclass(frozen=True, slots=True)
class SavedBlock:
    """A block of an earlier process, by durations: clocks of processes differ."""

    sources: str
    task_id: str
    reason: str
    age_s: float
    left_s: float


class BlockList:
    """Blocks by the hash of their sources, oldest first."""

    def __init__(self, lasts_s: float = BLOCKED_FOR_S) -> None:
        self._lasts_s = lasts_s
        self._blocks: dict[str, Block] = {}

    def add(self, sources: str, *, task_id: str, reason: str, now: float) -> Block:
        """Blocks `sources` from now on; again, if they are blocked already."""
        return self._put(Block(sources, task_id, reason, now, now + self._lasts_s))

    def load(self, saved: Iterable[SavedBlock], now: float) -> None:
        """Goes on with blocks of an earlier process. None lasts longer than a new one, whatever its clock did."""
        for each in sorted(saved, key=lambda each: each.age_s, reverse=True):
            left_s = min(each.left_s, self._lasts_s)
            if left_s > 0:
                self._put(Block(each.sources, each.task_id, each.reason, now - each.age_s, now + left_s))

    def _put(self, block: Block) -> Block:
        self._blocks.pop(block.sources, None)
        self._blocks[block.sources] = block
        return block

    def find(self, sources: str, now: float) -> Block | None:
        """Returns the block of `sources`, if there is one that has not expired."""
        block = self._blocks.get(sources)
        return block if block is not None and block.until > now else None

    def blocks(self) -> tuple[Block, ...]:
        """Returns all, oldest first; take_expired() first, if those that are over do not count."""
        return tuple(self._blocks.values())

    def next_end(self) -> float | None:
        """When the next of them expires."""
        return min((block.until for block in self._blocks.values()), default=None)

    def take_expired(self, now: float) -> tuple[Block, ...]:
        """Removes and returns those that are over, and the oldest of too many."""
        over = [block for block in self._blocks.values() if block.until <= now]
        kept = [block for block in self._blocks.values() if block.until > now]
        return self._drop((*over, *kept[: max(0, len(kept) - MOST_BLOCKS)]))

    def release(self, which: str) -> tuple[Block, ...]:
        """Lifts the block of a hash, told by its beginning or whole, or all blocks of a task; returns those lifted."""
        return self._drop([block for block in self._blocks.values() if _is_meant(block, which)])

    def _drop(self, blocks: Sequence[Block]) -> tuple[Block, ...]:
        for block in blocks:
            del self._blocks[block.sources]
        return tuple(blocks)


def _is_meant(block: Block, which: str) -> bool:
    return which == block.task_id or (len(which) >= LEAST_DIGITS and block.sources.startswith(which))
