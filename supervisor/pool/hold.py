"""Why a task may not be booted now: it keeps failing, or its script is blocked."""

from __future__ import annotations

from supervisor.pool import failures
from supervisor.pool.backoff import Backoff
from supervisor.pool.blocked import LOOK_AGAIN_S, Block
from supervisor.pool.blocks import Blocks
from supervisor.pool.exchange import Failure

_WELL = Backoff()


class Hold:
    """Of one task. Times are the loop's."""

    __slots__ = ("_backoff", "_blocks", "_look_again_at", "_sources")

    def __init__(self, blocks: Blocks) -> None:
        self._blocks = blocks
        self._backoff = _WELL
        self._sources = ""  # for which it was blocked last
        self._look_again_at = 0.0  # when it is booted to see whether its files changed

    def after_failure(self, *, now: float, lived_s: float) -> None:
        """It failed, so long after its boot."""
        self._backoff = self._backoff.after_failure(now=now, lived_s=lived_s)

    def after_block(self, block: Block, now: float) -> None:
        """Its script is blocked."""
        self._sources = block.sources
        self._look_again_at = now + LOOK_AGAIN_S

    def is_for(self, block: Block) -> bool:
        """Whether `block` is the one that it was blocked for last."""
        return block.sources == self._sources

    def backoff_s(self, now: float) -> float:
        """Seconds of back-off that are left."""
        return self._backoff.wait_s(now)

    def block_s(self, now: float) -> float:
        """Seconds of the block that are left."""
        block = self._blocks.find(self._sources)
        return 0.0 if block is None else block.left_s(now)

    def refusal(self, now: float, *, blocked: bool) -> Failure | None:
        """Why a request cannot boot it now; `blocked`: its last isolate ended for that."""
        block = self._blocks.find(self._sources) if blocked else None
        if block is not None and now < self._look_again_at:
            return failures.of_block(block, now)
        wait_s = self.backoff_s(now)
        return failures.of_backoff(wait_s) if wait_s > 0 else None
