"""All tasks of this host, each in its slot, and the isolates that wait for them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable
from itertools import count

from supervisor.engine.isolate import Isolate, IsolateListener
from supervisor.pool import failures
from supervisor.pool.blocked import BLOCKED_FOR_S, Block, SavedBlock
from supervisor.pool.blocks import Blocks
from supervisor.pool.observer import SlotObserver
from supervisor.pool.parts import SlotParts
from supervisor.pool.room import PoolLimits, Room
from supervisor.pool.run import Placer
from supervisor.pool.slot import Slot
from supervisor.pool.states import TaskState
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
        limits: PoolLimits | None = None,
        block_for_s: float = BLOCKED_FOR_S,
        placer: Placer | None = None,
        unix_time: Callable[[], float] = time.time,
    ) -> None:
        self.slots: dict[str, Slot] = {}  # by task id
        self.room = Room(limits or PoolLimits(), loop)
        self.refused = {failures.HOST_FULL.reason: 0, failures.QUEUE_FULL.reason: 0}
        self._beside: set[Slot] = set()  # replacements that have no place yet, and replaced ones that are not stopped
        self._observer = observer
        self._warm = WarmPool(create, warm)
        self._blocks = Blocks(loop, self._on_released, lasts_s=block_for_s)
        self._parts = SlotParts(
            self._warm.take,
            count(1),
            observer,
            self._on_state,
            loop,
            unix_time,
            self._blocks,
            self.room,
            placer,
            self.refused,
        )
        self._warm.fill()

    @property
    def warm(self) -> int:
        """How many isolates wait for a task."""
        return len(self._warm)

    def add(self, spec: TaskSpec) -> Slot:
        """Makes a slot for a task; it does not start it. The id must be new."""
        if spec.label in self.slots:
            raise ValueError(f"task {spec.label} is here already")
        slot = self.slots[spec.label] = Slot(spec, self._parts)
        return slot

    def remove(self, label: str) -> None:
        """Forgets a stopped slot."""
        slot = self.slots[label]
        if slot.state is not TaskState.STOPPED:
            raise ValueError(f"task {label} is {slot.state.value}: stop it first")
        del self.slots[label]

    def replacement(self, spec: TaskSpec) -> Slot:
        """Makes a second slot for a task that is here: start it, then adopt() it; if it does not start, stop() it."""
        if spec.label not in self.slots:
            raise ValueError(f"task {spec.label} is not here")
        slot = Slot(spec, self._parts)
        self._beside.add(slot)
        return slot

    def adopt(self, new: Slot) -> Slot:
        """Puts a replacement in its predecessor's place, with its counts; returns that one, to be stopped."""
        old = self.slots[new.task_id]
        self._beside.remove(new)
        if old.state is not TaskState.STOPPED:
            self._beside.add(old)
        self.slots[new.task_id] = new
        new.succeed(old)
        if old.state is not new.state:
            self._observer.on_state(new, old.state, new.state, "it was replaced")
        return old

    # -- blocked scripts -------------------------------------------------------------------------------------------

    def blocks(self) -> tuple[Block, ...]:
        """Returns the scripts that are not started again for now, oldest first. Times are the loop's."""
        return self._blocks.blocks()

    def load_blocks(self, saved: Iterable[SavedBlock]) -> None:
        """Goes on with blocks of an earlier process."""
        self._blocks.load(saved)

    def release(self, which: str) -> tuple[Block, ...]:
        """Lifts the block of sources, by their hash (8 digits of it are enough), or those of a task; returns them."""
        return self._blocks.release(which)

    def _on_released(self, block: Block, why: str) -> None:
        self._observer.on_released(block)
        for slot in (*self.slots.values(), *self._beside):
            slot.on_released(block, why)

    # -- the end ---------------------------------------------------------------------------------------------------

    async def stop(self, drain_s: float) -> None:
        """Stops all tasks side by side: no more requests, `drain_s` seconds for what they have, then the end."""
        self._warm.close()
        self._blocks.close()
        await asyncio.gather(*(slot.stop(drain_s) for slot in self._all()))

    def kill(self) -> None:
        """Ends all isolates at once."""
        for slot in self._all():
            slot.kill()

    def _all(self) -> list[Slot]:
        return [*self.slots.values(), *self._beside]

    def _on_state(self, slot: Slot, before: TaskState, after: TaskState, why: str) -> None:
        if self.slots.get(slot.task_id) is slot:
            if before is not after:
                self._observer.on_state(slot, before, after, why)
        elif after is TaskState.STOPPED:
            self._beside.discard(slot)
