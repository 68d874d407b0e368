"""Where threads run and how much: from a task's settings to the kernel's groups and affinities."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import TYPE_CHECKING, Self

from supervisor.limits.affinity import this_machine
from supervisor.limits.cgroups import CpuGroups, Placed
from supervisor.spec.enforcement import Enforcement
from supervisor.spec.task import TaskSpec
from supervisor.telemetry.logs import host_log

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Sequence

THREADS = Path("/proc/self/task")
SWEEP_S = 1.0  # a thread is gone milliseconds after its isolate told its end


class Processor:
    """Implements the pool's Placer. Loop thread; entered after V8 has its threads and before any isolate is made."""

    def __init__(self, loop: asyncio.AbstractEventLoop, loop_cores: Sequence[int] | None = None) -> None:
        self._loop = loop
        self._loop_cores = loop_cores
        self._all = sorted(os.sched_getaffinity(0))
        self._groups = CpuGroups(None, Enforcement("", None))
        self._sweep: asyncio.TimerHandle | None = None

    def __enter__(self) -> Self:
        self._groups = CpuGroups.open()
        self._groups.on_leaving = self._sweep_later
        if self._loop_cores is not None:
            self._keep_host_on(self._loop_cores)
        return self

    def __exit__(self, *exception: object) -> None:
        if self._sweep is not None:
            self._sweep.cancel()
        self._groups.close()

    @property
    def enforcement(self) -> Enforcement:
        """Of limits.cpu.quota."""
        return self._groups.enforcement

    def is_first(self, spec: TaskSpec) -> bool:
        """Whether a thread has to be placed before the first line of the task's code."""
        held = spec.limits.cpu.quota is not None and self._groups.active
        return held or isinstance(spec.cpu, tuple) or self._loop_cores is not None

    def place(self, spec: TaskSpec, thread_id: int) -> Placed | None:
        """OSError: its quota cannot be held now, or its cores are gone."""
        with contextlib.suppress(ProcessLookupError):  # it ended meanwhile, and tells so itself
            if isinstance(spec.cpu, tuple):
                os.sched_setaffinity(thread_id, spec.cpu)
            elif self._loop_cores is not None and spec.cpu is None:
                os.sched_setaffinity(thread_id, self._all)  # it was born where the loop is
            return self._groups.place(spec.label, thread_id, spec.limits.cpu.quota)
        return None

    def _sweep_later(self) -> None:
        if self._sweep is None and self._groups.leaving:
            self._sweep = self._loop.call_later(SWEEP_S, self._sweep_now)

    def _sweep_now(self) -> None:
        self._sweep = None
        self._groups.sweep()
        self._sweep_later()

    def _keep_host_on(self, cores: Sequence[int]) -> None:
        """Every thread that is there now is the host's: loop, watchdog, readers of files, V8's helpers."""
        try:
            this_machine().check(cores)
            for thread in os.listdir(THREADS):
                with contextlib.suppress(ProcessLookupError):
                    os.sched_setaffinity(int(thread), cores)
        except (OSError, ValueError) as error:
            host_log().warning("the host's own threads run on any core", setting="loopCores", problem=str(error))
            self._loop_cores = None
