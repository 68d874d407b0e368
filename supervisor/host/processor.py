"""Where threads run and how much: from a task's settings to the kernel's groups and affinities."""

from __future__ import annotations

import contextlib
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Self

from supervisor.limits.affinity import this_machine
from supervisor.limits.cgroups import CpuGroups, Placed
from supervisor.spec.cores import Cores
from supervisor.spec.enforcement import Enforcement
from supervisor.spec.task import TaskSpec
from supervisor.telemetry.logs import host_log

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Iterator, Sequence

    from supervisor.pool.run import OnPlaced

THREADS = Path("/proc/self/task")
SWEEP_S = 1.0  # a thread is gone milliseconds after its isolate told its end


class Processor:
    """Implements the pool's Placer. Loop thread; entered after V8 has its threads and before any isolate is made.

    `starter` is the Linux tid of the thread that starts those of isolates: they are born with what it has. Only those
    with a quota are moved, by a thread of ours, since the kernel lets whoever moves one wait.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, starter: int, loop_cores: Sequence[int] | None = None) -> None:
        self._loop = loop
        self._starter = starter
        self._loop_cores = loop_cores
        self._all = sorted(os.sched_getaffinity(0))
        self._groups = CpuGroups(None, Enforcement("", None))
        self._mover = ThreadPoolExecutor(1, "cgroups")
        self._sweep: asyncio.TimerHandle | None = None
        self._closed = False

    def __enter__(self) -> Self:
        self._groups = CpuGroups.open()
        self._groups.on_leaving = lambda: self._on_loop(self._sweep_later)
        if self._loop_cores is not None:
            self._keep_host_on(self._loop_cores)
        try:
            self._groups.breed(self._starter)
        except OSError as error:
            host_log().warning("isolates without a quota are not in a group of theirs", problem=str(error))
        return self

    def __exit__(self, *exception: object) -> None:
        if self._sweep is not None:
            self._sweep.cancel()
        self._closed = True
        self._mover.shutdown()
        self._groups.close()

    @property
    def enforcement(self) -> Enforcement:
        """Of limits.cpu.quota."""
        return self._groups.enforcement

    def cores(self) -> Cores:
        """Those of the machine, and those that isolates may use: `loopCores` does not take any from them."""
        return this_machine(self._starter)

    @contextlib.contextmanager
    def on_all_cores(self) -> Iterator[None]:
        """The caller's thread may use what isolates may: a process that it starts meanwhile is born with that."""
        own = os.sched_getaffinity(0)
        os.sched_setaffinity(0, os.sched_getaffinity(self._starter))
        try:
            yield
        finally:
            os.sched_setaffinity(0, own)

    def is_first(self, spec: TaskSpec) -> bool:
        """Whether a thread has to be placed before the first line of the task's code."""
        return self._has_group(spec) or spec.cpu is not None

    def place(self, spec: TaskSpec, thread_id: int, placed: OnPlaced) -> None:
        """An OSError is told if its quota cannot be held now, or its cores are gone."""
        try:
            if spec.cpu is not None:
                os.sched_setaffinity(thread_id, (spec.cpu,) if isinstance(spec.cpu, int) else spec.cpu)
        except ProcessLookupError:  # it ended meanwhile, and tells so itself
            placed(None)
        except OSError as error:
            placed(error)
        else:
            if self._has_group(spec):
                self._mover.submit(self._move, spec, thread_id, placed)
            else:
                placed(self._groups.rest() if self._groups.active else None)

    def _has_group(self, spec: TaskSpec) -> bool:
        return spec.limits.cpu.quota is not None and self._groups.active

    def _move(self, spec: TaskSpec, thread_id: int, placed: OnPlaced) -> None:
        """Mover's thread."""
        assert spec.limits.cpu.quota is not None
        outcome: Leaving | OSError | None = None
        try:
            group = self._groups.place(spec.label, thread_id, spec.limits.cpu.quota)
            outcome = None if group is None else Leaving(group, self._leave)
        except ProcessLookupError:
            pass
        except OSError as error:
            outcome = error
        self._on_loop(placed, outcome)

    def _leave(self, group: Placed) -> None:
        if not self._closed:  # afterwards what is left is removed by the next process
            self._mover.submit(group.leave)

    def _on_loop(self, call: Callable[..., object], *arguments: object) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed
            self._loop.call_soon_threadsafe(call, *arguments)

    def _sweep_later(self) -> None:
        if self._sweep is None and self._groups.leaving and not self._closed:
            self._sweep = self._loop.call_later(SWEEP_S, self._sweep_now)

    def _sweep_now(self) -> None:
        self._sweep = None
        if not self._closed:
            self._mover.submit(self._swept)

    def _swept(self) -> None:
        """Mover's thread."""
        self._groups.sweep()
        self._on_loop(self._sweep_later)

    def _keep_host_on(self, cores: Sequence[int]) -> None:
        """Every thread that is there is the host's (loop, watchdog, readers of files, V8's helpers), but for one."""
        try:
            this_machine().check(cores)
            for thread in os.listdir(THREADS):
                with contextlib.suppress(ProcessLookupError):
                    os.sched_setaffinity(int(thread), self._all if int(thread) == self._starter else cores)
        except (OSError, ValueError) as error:
            host_log().warning("the host's own threads run on any core", setting="loopCores", problem=str(error))


class Leaving:
    """Implements the pool's Placement for a thread with a quota. Loop thread."""

    __slots__ = ("_group", "_leave")

    def __init__(self, group: Placed, leave: Callable[[Placed], None]) -> None:
        self._group = group
        self._leave = leave

    def throttled_s(self) -> float:
        """For how long its quota made it stand still. 0.03 ms."""
        return self._group.throttled_s()

    def leave(self) -> None:
        """Its isolate is over."""
        self._leave(self._group)
