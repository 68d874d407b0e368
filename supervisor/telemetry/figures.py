"""What metrics are made of: the figures of one moment, as values that the host fills in."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from supervisor.spec.histogram import Histogram
from supervisor.spec.views import LimitView


@dataclass(frozen=True, slots=True)
class TaskFigures:
    """One task, or several in one. Counts are since this process began, sizes bytes, times seconds."""

    task: str
    state: str | None  # None: several tasks
    requests: int = 0  # taken
    failures: Mapping[str, int] = field(default_factory=dict)  # by Failure.reason
    boots: int = 0
    exits: Mapping[str, int] = field(default_factory=dict)  # by ExitReason
    cpu_s: float = 0.0  # of all its isolates
    console_dropped: int = 0  # lines
    answered: int = 0  # requests whose answer is complete
    answering_s: float = 0.0  # how long they took together
    heap_used: int = 0
    heap_total: int = 0
    external_used: int = 0
    open: int = 0  # requests under way or waiting
    throttled_s: float = 0.0  # for limits.cpu.quota
    ingress_bytes: int = 0  # from clients
    answer_bytes: int = 0  # to them
    connections: int = 0  # open
    connections_refused: int = 0
    ingress_paused_s: float = 0.0  # for limits.net.ingress
    egress_bytes: int = 0  # sent under limits.net.egress
    egress_drops: int = 0  # packets


@dataclass(frozen=True, slots=True)
class CallFigures:
    """Calls of one kind to other hosts, since this process began."""

    answered: int = 0  # a refusal is an answer, too
    silent: int = 0
    seconds: float = 0.0  # how long they took together


@dataclass(frozen=True, slots=True)
class ClusterFigures:
    """This host's part in its cluster."""

    hosts: Mapping[str, int]  # those known: alive ones by what they say about themselves, the others failed or left
    is_current: bool  # whether that is what the cluster says now
    room: bool  # whether this host says that it has room
    owned: int  # tasks
    guarded: int  # records of tasks
    doubtful: int  # tasks of this host whose guardians are to be asked
    happened: Mapping[str, int]  # by the phase of the event
    calls: Mapping[str, CallFigures]  # by what was asked


@dataclass(frozen=True, slots=True)
class HostFigures:
    """The host and all its tasks at one moment. `tasks` are those to be named, see cardinality.py."""

    version: str
    started: float  # seconds since 1970
    states: Mapping[str, int]  # tasks by state
    tasks: Iterable[TaskFigures]
    requests: Histogram  # from a request's end to its answer's, all tasks
    boots: Histogram
    limits: Mapping[str, LimitView]  # isolates, memory, connections, files, mappings; `used` in bytes or counts
    refused: Mapping[str, int]  # requests by what was full
    isolates: int
    warm: int  # of those, waiting for a task
    parked: int
    faults: int
    blocked: int  # scripts
    accounted: int  # bytes that living isolates hold
    loop_lag_p99_s: float
    loop_lag_worst_s: float
    handovers: int
    log_dropped: int  # lines that no reader took in time
    cpu_s: float  # of the process
    rss: int
    open_files: int
    open_files_limit: int | None
    cluster: ClusterFigures | None = None  # None: it is one of no cluster


def summed(task: str, parts: Iterable[TaskFigures]) -> TaskFigures:
    """All of `parts` as one, under another name and without a state."""
    failures: Counter[str] = Counter()
    exits: Counter[str] = Counter()
    totals: Counter[str] = Counter()
    for part in parts:
        failures.update(part.failures)
        exits.update(part.exits)
        for name in _SUMMED:
            totals[name] += getattr(part, name)
    return TaskFigures(task, None, failures=dict(failures), exits=dict(exits), **totals)


def counts_of(figures: TaskFigures) -> TaskFigures:
    """Only what rises: what is left to tell of a task that is gone."""
    return TaskFigures(
        figures.task,
        None,
        figures.requests,
        figures.failures,
        figures.boots,
        figures.exits,
        figures.cpu_s,
        figures.console_dropped,
        figures.answered,
        figures.answering_s,
        throttled_s=figures.throttled_s,
        ingress_bytes=figures.ingress_bytes,
        answer_bytes=figures.answer_bytes,
        connections_refused=figures.connections_refused,
        ingress_paused_s=figures.ingress_paused_s,
        egress_bytes=figures.egress_bytes,
        egress_drops=figures.egress_drops,
    )


_SUMMED = (
    "requests",
    "boots",
    "cpu_s",
    "console_dropped",
    "answered",
    "answering_s",
    "heap_used",
    "heap_total",
    "external_used",
    "open",
    "throttled_s",
    "ingress_bytes",
    "answer_bytes",
    "connections",
    "connections_refused",
    "ingress_paused_s",
    "egress_bytes",
    "egress_drops",
)
