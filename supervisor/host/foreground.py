"""`isolated run`: tasks in the foreground."""

from __future__ import annotations

import asyncio
import gc
import signal
from collections.abc import Sequence
from typing import Self

import uvloop

from supervisor.errors import SettingsError
from supervisor.host.core import Core, CoreOptions
from supervisor.limits.files import raise_open_files
from supervisor.pool.blocked import Block
from supervisor.pool.run import END_S
from supervisor.pool.slot import Slot
from supervisor.pool.states import TaskState
from supervisor.signals import StopSignals
from supervisor.spec.enforcement import unenforced
from supervisor.spec.exits import Exit
from supervisor.spec.options import RunOptions
from supervisor.spec.task import TaskSpec
from supervisor.telemetry.logs import host_log, task_log
from supervisor.telemetry.tasks import TaskLog

# How long requests in flight may take once the host was asked to stop; supervisors kill after 90 s (systemd) or later.
DRAIN_S = 30.0

# When one task could not start, how long others may take to tell that they cannot either. A person mends all at once.
MORE_ERRORS_S = 1.0


def run_tasks(specs: Sequence[TaskSpec], options: RunOptions) -> int:
    """What supervisor.host.run() is."""
    raise_open_files()
    return uvloop.run(_run(specs, options))


async def _run(specs: Sequence[TaskSpec], options: RunOptions) -> int:
    async with StopSignals() as stop, Foreground(options) as host:
        serving = asyncio.create_task(host.serve(specs))
        asked = asyncio.create_task(stop.wait_drain())
        await asyncio.wait((serving, asked), return_when=asyncio.FIRST_COMPLETED)
        if serving.done():
            asked.cancel()
            return serving.result()
        host_log().info("stopping: answering what is under way", signal=asked.result(), at_most_s=DRAIN_S)
        serving.cancel()
        return await _drain(host.core, stop)


async def _drain(core: Core, stop: StopSignals) -> int:
    """Lets the host finish; a second signal ends it at once, with the exit code of that signal."""
    draining = asyncio.create_task(core.drain(DRAIN_S))
    urged = asyncio.create_task(stop.wait_end())
    await asyncio.wait((draining, urged), return_when=asyncio.FIRST_COMPLETED)
    if draining.done():
        urged.cancel()
        draining.result()
        host_log().info("stopped")
        return 0
    core.abort()
    await asyncio.wait((draining,), timeout=END_S)
    host_log().warning("ended at once", signal=urged.result())
    return 128 + signal.Signals[urged.result()]


class Foreground:
    """Implements SlotObserver: the log hears everything, and serve() of ends. Loop thread; entered once."""

    def __init__(self, options: RunOptions) -> None:
        core = CoreOptions(warm=options.warm, v8_flags=options.v8_flags, seccomp=options.seccomp)
        self.core = Core(core, self)
        self._refuses = options.refuse_unenforced
        self._log = TaskLog()
        self._ends: dict[str, asyncio.Future[Exit]] = {}
        self._telling: asyncio.Task[None] | None = None  # the loop keeps no reference of its own

    async def __aenter__(self) -> Self:
        """Starts V8. EngineError."""
        await self.core.__aenter__()
        return self

    async def __aexit__(self, *exception: object) -> None:
        """Ends what still runs, at once."""
        await self.core.__aexit__(*exception)

    async def serve(self, specs: Sequence[TaskSpec]) -> int:
        """Starts tasks and returns when all of them are over, which those that listen never are."""
        await self._start_all(specs)
        gc.collect()
        gc.freeze()  # what is alive now stays: the collector need not look at it again
        ends = [await self._ends[spec.label] if not spec.listen else await _never() for spec in specs]
        return max((_exit_code(end) for end in ends), default=0)

    def _check(self, specs: Sequence[TaskSpec]) -> None:
        problems = [problem for spec in specs for problem in unenforced(spec, self.core.enforcements())]
        if problems and self._refuses:
            raise SettingsError(problems)
        for problem in problems:
            host_log().warning("a limit is not held", field=problem.field, value=problem.value, problem=problem.message)

    async def _start_all(self, specs: Sequence[TaskSpec]) -> None:
        """Starts tasks side by side. If one cannot start, so may others, soon: one error, or a group of them."""
        self._check(specs)
        starting = [asyncio.create_task(self._start(spec)) for spec in specs]
        try:
            _, pending = await asyncio.wait(starting, return_when=asyncio.FIRST_EXCEPTION)
            if pending:
                await asyncio.wait(pending, timeout=MORE_ERRORS_S)
        finally:
            for each in starting:
                each.cancel()
        errors = [error for each in starting if each.done() and (error := _error_of(each)) is not None]
        if len(errors) > 1:
            raise ExceptionGroup("tasks could not start", errors)
        for error in errors:
            raise error

    async def _start(self, spec: TaskSpec) -> None:
        """Boots a task and opens its listeners. BootError, ListenError, EngineError."""
        slot = self.core.pool.add(spec)
        self._ends[spec.label] = asyncio.get_running_loop().create_future()
        await slot.start()
        if spec.listen:
            await self.core.network.hold(spec)
            if self._refuses and (problems := self.core.network.lacking(spec)):
                raise SettingsError(problems)
            addresses = await self.core.listeners.open(slot, spec.listen)
            task_log(spec.label).info("ready", listen=" ".join(map(str, addresses)))

    # -- SlotObserver ----------------------------------------------------------------------------------------------

    def on_state(self, slot: Slot, before: TaskState, after: TaskState, why: str) -> None:
        """It went to another state: its boots and ends are told already."""

    def on_ready(self, slot: Slot, milliseconds: float) -> None:
        """Its isolate is ready."""
        self._log.on_ready(slot, milliseconds)
        if not slot.spec.listen:  # it may be over before _start() goes on
            task_log(slot.task_id).info("ready")

    def on_console(self, slot: Slot, level: int, text: bytes) -> None:
        """It wrote a console line."""
        self._log.on_console(slot, level, text)

    def on_handler_error(self, slot: Slot, message: str, request: str | None) -> None:
        """It failed to answer a request."""
        self._log.on_handler_error(slot, message, request)

    def on_blocked(self, slot: Slot, block: Block) -> None:
        """Its script is not started again for now."""
        self._log.on_blocked(slot, block)
        self._telling = asyncio.create_task(self._tell_taint())

    def on_released(self, block: Block) -> None:
        """A script may be started again."""

    def on_late(self, slot: Slot, count: int, requests: tuple[str, ...]) -> None:
        """It did not answer requests in time."""
        self._log.on_late(slot, count, requests)

    def on_end(self, slot: Slot, end: Exit) -> None:
        """Its isolate is over."""
        self._log.on_end(slot, end)
        future = self._ends[slot.task_id]
        if not future.done():
            future.set_result(end)

    async def _tell_taint(self) -> None:
        self._log.on_taint(await self.core.taint())


def _error_of(start: asyncio.Task[None]) -> Exception | None:
    error = None if start.cancelled() else start.exception()
    if error is None or isinstance(error, Exception):
        return error
    raise error


async def _never() -> Exit:
    never: asyncio.Future[Exit] = asyncio.get_running_loop().create_future()
    return await never


def _exit_code(end: Exit) -> int:
    if end.code is not None:
        return end.code & 0xFF  # what the system keeps of it
    return 1 if end.failed else 0
