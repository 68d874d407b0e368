"""All tasks of this host, each in its slot, and the isolates that wait for them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from itertools import count

from supervisor.engine.isolate import Isolate, IsolateListener
from supervisor.pool.blocked import Block, BlockList
from supervisor.pool.slot import Slot, SlotObserver, SlotParts
from supervisor.pool.warm import WarmPool
from supervisor.spec.task import TaskSpec


class Pool:
    """Loop thread. `create` makes isolates; `warm` of them are kept ready."""

    def __init__(
        self,
        create: Callable[[IsolateListener], Isolate],
        observer: SlotObserver,
        loop: asyncio.AbstractEventLoop,
        *,
        warm: int = 0,
    ) -> None:
        self._warm = WarmPool(create, warm)
        self._blocked = BlockList()
        self._parts = SlotParts(self._warm.take, count(1), observer, loop, self._blocked)
        self.slots: dict[str, Slot] = {}
        self._warm.fill()

    def add(self, spec: TaskSpec) -> Slot:
        """Makes a slot for a task; it does not start it. The id must be new."""
        if spec.label in self.slots:
            raise ValueError(f"task {spec.label} is here already")
        slot = self.slots[spec.label] = Slot(spec, self._parts)
        return slot

    def blocks(self) -> tuple[Block, ...]:
        """Returns the scripts that are not started again for now, oldest first."""
        return self._blocked.blocks(self._parts.loop.time())

    def release(self, which: str) -> tuple[Block, ...]:
        """Lifts the block of sources, by their hash, or those of a task; returns them. The next request boots it."""
        return self._blocked.release(which)

    async def stop(self, drain_s: float) -> None:
        """Stops all tasks side by side: no more requests, `drain_s` seconds for what they have, then the end."""
        self._warm.close()
        await asyncio.gather(*(slot.stop(drain_s) for slot in self.slots.values()))

    def kill(self) -> None:
        """Ends all isolates at once."""
        for slot in self.slots.values():
            slot.kill()
