"""V8, the pool and the listeners of one process."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Self

from supervisor.engine.engine import Engine
from supervisor.host.network import Network
from supervisor.host.processor import Processor
from supervisor.ingress.listeners import Listeners
from supervisor.ingress.options import IngressOptions
from supervisor.limits.process import ProcessFigures, read_process
from supervisor.limits.shaping import Shaper, ShapingOptions
from supervisor.pool.blocked import BLOCKED_FOR_S
from supervisor.pool.observer import SlotObserver
from supervisor.pool.pool import Pool
from supervisor.pool.room import PoolLimits
from supervisor.spec.enforcement import EVERYWHERE, Enforcement, completed
from supervisor.spec.taint import Taint


@dataclass(frozen=True, slots=True)
class CoreOptions:
    """What a process is made with."""

    warm: int = 1
    v8_flags: str = ""
    seccomp: bool = True
    ingress: IngressOptions = field(default_factory=IngressOptions)
    pool: PoolLimits = field(default_factory=PoolLimits)
    block_for_s: float = BLOCKED_FOR_S
    loop_cores: tuple[int, ...] | None = None
    shaping: ShapingOptions = field(default_factory=ShapingOptions)


class Core:
    """Loop thread; entered once."""

    def __init__(self, options: CoreOptions, observer: SlotObserver) -> None:
        self._options = options
        self._observer = observer
        self._stack = AsyncExitStack()
        self.engine: Engine
        self.listeners: Listeners
        self.shaper: Shaper
        self.network: Network
        self.processor: Processor
        self.pool: Pool

    async def __aenter__(self) -> Self:
        """Starts V8. EngineError."""
        options = self._options
        self.engine = await self._stack.enter_async_context(Engine(v8_flags=options.v8_flags, seccomp=options.seccomp))
        self.processor = self._stack.enter_context(
            Processor(asyncio.get_running_loop(), self.engine.starter_thread, options.loop_cores)
        )
        self.shaper = await self._stack.enter_async_context(Shaper(options.shaping))  # ends after the last connection
        self.listeners = await self._stack.enter_async_context(Listeners(options.ingress))
        self.network = Network(self.shaper, self.listeners)
        self.pool = Pool(
            self.engine.create,
            self._observer,
            asyncio.get_running_loop(),
            warm=options.warm,
            limits=options.pool,
            placer=self.processor,
            block_for_s=options.block_for_s,
        )
        return self

    async def __aexit__(self, *exception: object) -> None:
        """Ends what still runs, at once."""
        await self._stack.aclose()

    async def drain(self, seconds: float, *, idle_grace_s: float | None = None) -> None:
        """Stops accepting, answers what is under way, and stops the tasks. `idle_grace_s`: as Listeners.drain()."""
        deadline = asyncio.get_running_loop().time() + seconds
        await self.listeners.drain(seconds, idle_grace_s=idle_grace_s)
        await self.pool.stop(max(0.0, deadline - asyncio.get_running_loop().time()))

    def abort(self) -> None:
        """Ends everything now; a drain() under way returns soon."""
        self.listeners.abort_all()
        self.pool.kill()

    def enforcements(self) -> tuple[Enforcement, ...]:
        """Which limits of tasks this host can hold, and what is missing for the others."""
        return completed((*EVERYWHERE, self.processor.enforcement, *self.shaper.enforcements()))

    async def taint(self) -> Taint:
        """What this process has lost to parked threads, as of now."""
        return self.taint_of(await asyncio.get_running_loop().run_in_executor(None, read_process))

    def taint_of(self, process: ProcessFigures) -> Taint:
        """The same, with figures that were read already."""
        counts = self.engine.counts()
        return Taint(
            parked=counts.parked,
            faults=counts.faults,
            mappings=process.mappings,
            mappings_limit=process.mappings_limit,
            rss=process.rss,
            accounted=self.engine.accounted(),
        )
