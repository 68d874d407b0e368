"""What the host tells of its tasks and of itself: values made from the parts."""

from __future__ import annotations

import asyncio
import os
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from supervisor import __version__
from supervisor.host.core import Core
from supervisor.host.tasks import Known, Tasks
from supervisor.limits.process import ProcessFigures, read_process
from supervisor.pool.history import History, PastExit
from supervisor.pool.slot import Slot
from supervisor.pool.states import TaskState
from supervisor.spec.enforcement import Enforcement
from supervisor.spec.exits import Exit
from supervisor.spec.histogram import Histogram
from supervisor.spec.settings import HostSettings
from supervisor.spec.views import (
    HIDDEN,
    BlockView,
    EgressView,
    EnforcementView,
    ExitView,
    HostView,
    IsolateView,
    LimitView,
    NetView,
    TaskView,
)
from supervisor.telemetry.cardinality import NamedTasks
from supervisor.telemetry.figures import ClusterFigures, HostFigures, TaskFigures
from supervisor.telemetry.looplag import LoopLag
from supervisor.telemetry.metrics import text
from supervisor.telemetry.sink import LineSink
from supervisor.telemetry.story import TaskStory


@dataclass(frozen=True, slots=True)
class HostFacts:
    """What does not change while a process lives."""

    settings: HostSettings
    started: float  # seconds since 1970
    handovers: int
    advice: tuple[str, ...]
    sink: LineSink  # of the log


class Views:
    """Loop thread."""

    def __init__(self, facts: HostFacts, core: Core, tasks: Tasks, story: TaskStory, lag: LoopLag) -> None:
        self._facts = facts
        self._core = core
        self._tasks = tasks
        self._story = story
        self._lag = lag
        self._named = NamedTasks()

    # -- tasks -----------------------------------------------------------------------------------------------------

    def task(self, known: Known, *, with_spec: bool) -> TaskView:
        """One of them."""
        slot = self._tasks.slot(known.stored.label)
        history = History() if slot is None else slot.history
        exits = tuple(_exit(past) for past in history.exits)
        if known.problem is not None and not known.held:
            told = ExitView(time=known.stored.applied, reason="settings", message=known.problem)
            exits = (told, *exits)
        spec = known.spec.document() if known.spec is not None else dict(known.stored.settings)
        spec = hidden(spec)
        return TaskView(
            task=known.stored.label,
            state=_state(known, slot).value,
            problem=known.problem if known.held else None,
            wanted=known.stored.wanted,
            revision=known.stored.revision,
            applied=known.stored.applied,
            listen=known.listen,
            bundle=known.stored.bundle,
            isolate=None if slot is None else _isolate(slot),
            requests=history.requests,
            failures=sum(history.failures.values()),
            boots=history.boots,
            cpu_s=0.0 if slot is None else slot.cpu_s,
            wait_s=None if slot is None else slot.wait_s(asyncio.get_running_loop().time()),
            throttled_s=0.0 if slot is None else slot.throttled_s,
            warnings=self._warnings(known),
            net=self._net(known.stored.label),
            egress=self._egress(known.stored.label),
            exits=exits,
            spec=spec if with_spec else None,
        )

    def _warnings(self, known: Known) -> tuple[str, ...]:
        if known.spec is None:
            return ()
        return tuple(f"{each.field}: {each.message}" for each in self._tasks.lacking(known.spec))

    def _net(self, label: str) -> NetView:
        usage = self._core.listeners.usage(label)
        return NetView(
            received=usage.received, sent=usage.sent, connections=usage.connections, refused=usage.refused,
            paused_s=usage.paused_s,
        )  # fmt: skip

    def _egress(self, label: str) -> EgressView | None:
        usage = self._core.network.egress(label)
        return None if usage is None else EgressView(bytes=usage.bytes, drops=usage.drops, waits=usage.overlimits)

    def blocks(self) -> list[BlockView]:
        """Blocked scripts, oldest first."""
        ahead = time.time() - asyncio.get_running_loop().time()
        return [
            BlockView(
                sources=block.sources, task=block.task_id, reason=block.reason,
                since=block.since + ahead, until=block.until + ahead,
            )
            for block in self._core.pool.blocks()
        ]  # fmt: skip

    # -- the host --------------------------------------------------------------------------------------------------

    async def host(self, state: str) -> HostView:
        """The host as it is now."""
        process = await asyncio.get_running_loop().run_in_executor(None, read_process)
        counts = self._core.engine.counts()
        return HostView(
            pid=os.getpid(),
            version=__version__,
            started=self._facts.started,
            state=state,
            tasks=self._states(),
            limits=self._limits(process),
            rss=process.rss,
            accounted=self._core.engine.accounted(),
            parked=counts.parked,
            faults=counts.faults,
            loop_lag_s=self._lag.p99(),
            handovers=self._facts.handovers,
            enforces=tuple(_enforced(each) for each in self._core.enforcements()),
            advice=self._facts.advice,
        )

    def metrics(self, process: ProcessFigures, cluster: ClusterFigures | None) -> str:
        """Prometheus's text. `process`: figures of a moment ago, as reading them waits."""
        core = self._core
        counts = core.engine.counts()
        latencies = core.listeners.latencies()
        return text(
            HostFigures(
                version=__version__,
                started=self._facts.started,
                states=self._states(),
                tasks=self._named.of(self._figures(latencies)),
                requests=core.listeners.latency(),
                boots=self._story.boots,
                limits=self._limits(process),
                refused=dict(core.pool.refused),
                isolates=counts.isolates,
                warm=core.pool.warm,
                parked=counts.parked,
                faults=counts.faults,
                blocked=len(core.pool.blocks()),
                accounted=core.engine.accounted(),
                loop_lag_p99_s=self._lag.p99(),
                loop_lag_worst_s=self._lag.worst(),
                handovers=self._facts.handovers,
                log_dropped=self._facts.sink.dropped_lines,
                cpu_s=time.process_time(),
                rss=process.rss,
                open_files=process.open_files,
                open_files_limit=process.open_files_limit,
                cluster=cluster,
            )
        )

    def _states(self) -> dict[str, int]:
        states = Counter({state.value: 0 for state in TaskState})
        for label, known in self._tasks.known.items():
            states[_state(known, self._tasks.slot(label)).value] += 1
        return dict(states)

    def _limits(self, process: ProcessFigures) -> dict[str, LimitView]:
        pool, listeners, settings = self._core.pool, self._core.listeners, self._facts.settings
        full = pool.refused["host-full"]
        return {
            "isolates": LimitView(used=pool.room.isolates, limit=settings.isolates, refused=full),
            "memory": LimitView(used=pool.room.memory, limit=settings.memory, refused=full),
            "connections": LimitView(
                used=listeners.connection_count, limit=settings.connections, refused=listeners.turned_away
            ),
            "files": LimitView(used=process.open_files, limit=process.open_files_limit),
            "mappings": LimitView(used=process.mappings, limit=process.mappings_limit),
        }

    def _figures(self, latencies: Mapping[str, Histogram]) -> Iterator[TaskFigures]:
        for label in self._tasks.known:
            slot = self._tasks.slot(label)
            if slot is None:
                continue
            figures = slot.statistics()
            latency = latencies.get(label)
            history = slot.history
            egress = self._core.network.egress(label)
            net = self._core.listeners.usage(label)
            yield TaskFigures(
                label,
                slot.state.value,
                requests=history.requests,
                failures=dict(history.failures),
                boots=history.boots,
                exits=self._story.exits(label),
                cpu_s=slot.cpu_s,
                console_dropped=self._story.console_dropped(label),
                answered=0 if latency is None else latency.total,
                answering_s=0.0 if latency is None else latency.sum,
                heap_used=0 if figures is None else figures.heap_used,
                heap_total=0 if figures is None else figures.heap_total,
                external_used=0 if figures is None else figures.external_used,
                open=0 if figures is None else figures.exchanges,
                ingress_bytes=net.received,
                answer_bytes=net.sent,
                connections=net.connections,
                connections_refused=net.refused,
                ingress_paused_s=net.paused_s,
                throttled_s=slot.throttled_s,
                egress_bytes=0 if egress is None else egress.bytes,
                egress_drops=0 if egress is None else egress.drops,
            )


def _state(known: Known, slot: Slot | None) -> TaskState:
    """One that is held is not stopped: nobody asked for that."""
    if slot is not None:
        return slot.state
    return TaskState.PENDING if known.held and known.stored.wanted else TaskState.STOPPED


def _enforced(each: Enforcement) -> EnforcementView:
    return EnforcementView(limit=each.limit, how=each.how, problem=each.problem, remedy=each.remedy)


def hidden(spec: Mapping[str, Any]) -> dict[str, Any]:
    """Settings for people and programs that look: of the environment, which holds secrets, only the names."""
    if "env" not in spec:
        return dict(spec)
    env = spec["env"]
    # settings that do not hold here may have anything in this place
    return {**spec, "env": dict.fromkeys(env, HIDDEN) if isinstance(env, Mapping) else HIDDEN}


def _isolate(slot: Slot) -> IsolateView | None:
    state, figures = slot.isolate_state, slot.statistics()
    if state is None or figures is None:
        return None
    return IsolateView(
        state=state.value,
        heap_used=figures.heap_used,
        heap_total=figures.heap_total,
        external_used=figures.external_used,
        cpu_s=figures.cpu_s,
        requests_open=figures.exchanges,
        timers=figures.timers,
    )


def _exit(past: PastExit) -> ExitView:
    end: Exit = past.end
    return ExitView(
        time=past.time,
        reason=end.reason.value,
        message=end.describe(),
        limit=end.limit,
        measured=end.measured,
        stack=end.stack or (end.error.stack if end.error is not None else None),
    )
