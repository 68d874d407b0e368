"""The daemon: all parts of a host at work, and what the control API asks of them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

from supervisor.errors import IsolatedError, Refused, Unknown
from supervisor.host.cluster.cluster import Cluster
from supervisor.host.cluster.everywhere import Elsewhere, Everywhere
from supervisor.host.core import Core
from supervisor.host.renewal import Renewals, why_renew
from supervisor.host.succession import Succession
from supervisor.host.tasks import Tasks
from supervisor.host.views import HostFacts, Views
from supervisor.limits.process import ProcessFigures, read_process
from supervisor.pool.blocked import Block
from supervisor.pool.slot import Slot
from supervisor.pool.states import TaskState
from supervisor.spec.events import Event, EventKind
from supervisor.spec.exits import Exit
from supervisor.spec.taint import Thresholds
from supervisor.spec.views import (
    AppliedView,
    BlockView,
    HandoverView,
    HostView,
    LogChunk,
    LogLine,
    MemberView,
    TaskView,
)
from supervisor.state.bundles import Bundles
from supervisor.state.records import StoredBlock
from supervisor.state.store import Store
from supervisor.telemetry.journal import Journal
from supervisor.telemetry.logs import host_log
from supervisor.telemetry.looplag import LoopLag
from supervisor.telemetry.story import TaskStory
from supervisor.telemetry.tails import Tails
from supervisor.telemetry.tasks import TaskLog

# How often the process is looked at, for metrics and for hand-over; a park is looked at sooner.
LOOK_EVERY_S = 5.0


class Daemon:
    """Implements HostControl and SlotObserver. Loop thread."""

    def __init__(self, story: TaskStory, journal: Journal, tails: Tails) -> None:
        self._story = story
        self._journal = journal
        self._tails = tails
        self._log = TaskLog()
        self._background: set[asyncio.Task[Any]] = set()
        self._look = asyncio.Event()
        self._process = ProcessFigures(0, 0, 0, 0, None)
        self._stop_asked = asyncio.Event()
        self.state = "starting"

    def join(
        self,
        facts: HostFacts,
        core: Core,
        tasks: Tasks,
        store: Store,
        bundles: Bundles,
        lag: LoopLag,
        thresholds: Thresholds,
        renewals: Renewals,
        cluster: Cluster | None,
    ) -> None:
        """Gets to know the other parts, which are made after it: they tell it what happens."""
        self._core = core
        self._tasks = tasks
        self._store = store
        self._bundles = bundles
        self._thresholds = thresholds
        self._renewals = renewals
        self._views = Views(facts, core, tasks, self._story, lag)
        self._succession: Succession | None = None
        self._cluster = cluster
        self._everywhere = None if cluster is None else Everywhere(cluster, tasks, self.task)

    def begin(self, succession: Succession) -> None:
        """The host serves from now on."""
        self._succession = succession
        self.state = "ready"
        self.keep(self._watch())
        self.keep(self._tasks.sweep())

    async def close(self) -> None:
        """Ends what goes on in the background; readers of events and logs are at the end."""
        for task in list(self._background):
            task.cancel()
        await asyncio.gather(*self._background, return_exceptions=True)
        self._story.close()

    async def wait_asked(self) -> None:
        """Returns when drain() was asked for."""
        await self._stop_asked.wait()

    @property
    def is_asked_to_stop(self) -> bool:
        """Whether drain() was asked for."""
        return self._stop_asked.is_set()

    # -- HostControl: tasks ----------------------------------------------------------------------------------------

    async def apply(self, settings: Mapping[str, Any], *, bundle: str | None, dry_run: bool) -> AppliedView:
        """Makes a task be as `settings` say."""
        if self._everywhere is not None:
            return await self._everywhere.apply(settings, bundle, dry_run=dry_run)
        return await self._tasks.apply(settings, bundle, dry_run=dry_run)

    def tasks(self) -> list[TaskView]:
        """All tasks, by id, then those that this host guards and that are on none."""
        known = self._tasks.known
        here = [self._views.task(known[label], with_spec=False) for label in sorted(known)]
        return here if self._everywhere is None else self._everywhere.own(here) + self._everywhere.stranded()

    async def all_tasks(self) -> tuple[list[TaskView], tuple[str, ...]]:
        """Those of the cluster, and the hosts that did not answer."""
        return (self.tasks(), ()) if self._everywhere is None else await self._everywhere.tasks(self.tasks())

    async def hosts(self) -> list[MemberView]:
        """The hosts of the cluster."""
        return [] if self._everywhere is None else await self._everywhere.hosts()

    async def forget_host(self, host: str) -> None:
        """Makes all hosts forget one that failed or left."""
        if self._everywhere is None:
            raise Unknown(f"there is no host {host!r}", "this host is one of no cluster")
        await self._everywhere.forget(host)

    async def elsewhere(self, label: str) -> Elsewhere | None:
        """Who has a task that is not here. Unknown: no host of the cluster has."""
        return None if self._everywhere is None else await self._everywhere.elsewhere(label)

    def task(self, label: str) -> TaskView:
        """One with its settings."""
        known = self._tasks.known.get(label)
        here = [] if known is None else [self._views.task(known, with_spec=True)]
        own = here if self._everywhere is None else self._everywhere.own(here)
        found = next((view for view in own if view.task == label), None)
        return found or self._views.task(self._tasks.find(label), with_spec=True)

    async def stop(self, label: str) -> TaskView:
        """Stops a task until it is started."""
        if self._everywhere is not None:
            return await self._everywhere.want(label, wanted=False)
        await self._tasks.stop(label)
        return self.task(label)

    async def start(self, label: str) -> TaskView:
        """Starts a stopped task."""
        if self._everywhere is not None:
            return await self._everywhere.want(label, wanted=True)
        await self._tasks.start(label)
        return self.task(label)

    async def remove(self, label: str) -> None:
        """Stops and forgets a task."""
        if self._everywhere is not None:
            await self._everywhere.remove(label)
            return
        await self._tasks.remove(label)
        self._story.forget(label)

    def logs(self, label: str, tail: int) -> LogChunk:
        """The last lines of a task."""
        self._tasks.find(label)
        return self._tails.tail(label, tail)

    def follow_logs(self, label: str) -> AsyncIterator[LogLine]:
        """Its lines from now on."""
        self._tasks.find(label)
        return self._tails.follow(label)

    async def add_bundle(self, archive: Path) -> str:
        """Stores an uploaded archive."""
        return await asyncio.get_running_loop().run_in_executor(None, self._bundles.add, archive)

    def has_bundle(self, digest: str) -> bool:
        """Whether it is stored."""
        return self._bundles.has(digest)

    # -- HostControl: the host -------------------------------------------------------------------------------------

    def events(self, after: int | None) -> AsyncIterator[Event]:
        """Events after that number, then new ones."""
        return self._journal.subscribe(after)

    def blocks(self) -> list[BlockView]:
        """Blocked scripts."""
        return self._views.blocks()

    async def release(self, which: str) -> list[BlockView]:
        """Lifts blocks."""
        if self._succession is not None and self._succession.under_way:  # the successor has them already
            raise Refused("the host is being handed over to a fresh process", "ask again in a moment")
        before = {block.sources: block for block in self._views.blocks()}
        lifted = self._core.pool.release(which)
        if not lifted:
            raise Unknown(
                f"nothing is blocked by the name {which!r}",
                "name a task, or 8 digits or more of the hash; `isolated blocked` lists them",
            )
        await self._store.remove_blocks([block.sources for block in lifted])
        return [before[block.sources] for block in lifted]

    async def status(self) -> HostView:
        """The host."""
        handing_over = self._succession is not None and self._succession.under_way
        seen = await self._views.host("handing-over" if handing_over else self.state)
        if self._cluster is None:
            return seen
        problem = self._cluster.membership.problem
        return seen.model_copy(update={"host": self._cluster.own.id, "cluster": problem})

    async def drain(self) -> None:
        """Asks the host to stop."""
        self._stop_asked.set()

    async def upgrade(self, binary: str | None) -> HandoverView:
        """Hands over to a fresh process."""
        if self._succession is None:
            raise Refused("the host is starting", "ask again when it is ready")
        return await self._succession.run(binary, "it was asked for", self._renewals)

    def metrics(self) -> str:
        """Prometheus's text."""
        cluster = None if self._cluster is None else self._cluster.figures()
        return self._views.metrics(self._process, cluster)

    # -- SlotObserver ----------------------------------------------------------------------------------------------

    def on_state(self, slot: Slot, before: TaskState, after: TaskState, why: str) -> None:
        """It went to another state."""
        self._story.on_state(slot, before, after, why)
        self._tasks.on_state(slot, before, after)

    def on_ready(self, slot: Slot, milliseconds: float) -> None:
        """Its isolate is ready."""
        self._story.on_ready(slot, milliseconds)

    def on_console(self, slot: Slot, level: int, text: bytes) -> None:
        """It wrote a console line."""
        self._story.on_console(slot, level, text)

    def on_handler_error(self, slot: Slot, message: str, request: str | None) -> None:
        """It failed to answer a request."""
        self._story.on_handler_error(slot, message, request)

    def on_late(self, slot: Slot, count: int, requests: tuple[str, ...]) -> None:
        """It did not answer requests in time."""
        self._story.on_late(slot, count, requests)

    def on_end(self, slot: Slot, end: Exit) -> None:
        """Its isolate is over."""
        self._story.on_end(slot, end)

    def on_blocked(self, slot: Slot, block: Block) -> None:
        """Its script is not started again for now."""
        self._story.on_blocked(slot, block)
        now = time.time()
        lasts_s = block.until - block.since
        self.keep(self._store.put_block(StoredBlock(block.sources, block.task_id, block.reason, now, now + lasts_s)))
        self._look.set()

    def on_released(self, block: Block) -> None:
        """A script may be started again."""
        self._story.on_released(block)
        self.keep(self._store.remove_blocks([block.sources]))

    # -- when a fresh process takes over by itself -----------------------------------------------------------------

    async def _watch(self) -> None:
        """Looks at the process now and then, and at once after a park."""
        loop = asyncio.get_running_loop()
        parked, clean = 0, None
        while True:
            self._process = await loop.run_in_executor(None, read_process)
            taint = self._core.taint_of(self._process)
            if taint.parked > parked:
                parked = taint.parked
                self._log.on_taint(taint)
            if taint.parked == 0:
                clean = taint
            why = why_renew(taint, clean, self._thresholds, self._renewals, loop.time())
            if why is not None and await self._renew(why):
                return
            self._look.clear()
            try:
                async with asyncio.timeout(LOOK_EVERY_S):
                    await self._look.wait()
            except TimeoutError:
                pass

    async def _renew(self, why: str) -> bool:
        """Hands over because nobody else would; whether this process is the host no more."""
        assert self._succession is not None
        now = asyncio.get_running_loop().time()
        following = self._renewals.after_try(now)
        try:
            await self._succession.run(None, why, following)
        except Refused:
            return False  # one is under way
        except IsolatedError:
            self._renewals = following
            host_log().warning("the next hand-over is tried later", again_s=round(following.wait_s(now)))
            return False
        return True

    def tell(self, phase: str, message: str) -> None:
        """An event of the host itself."""
        self._journal.record(EventKind.HOST, message, phase=phase)

    def keep(self, work: Any) -> None:
        task = asyncio.ensure_future(work)
        self._background.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[Any]) -> None:
        self._background.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            host_log().error("something in the background failed", problem=str(error), exc_info=error)
