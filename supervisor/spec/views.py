"""What the host tells about itself, its tasks and their ends: the values that the control API and the CLI share."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from pydantic import Field

from supervisor.spec.events import View

# In place of each value of `env`.
HIDDEN = "…"


class ExitView(View):
    """How an isolate ended."""

    time: float = Field(description="seconds since 1970")
    reason: str = Field(description="one of the exit reasons, e.g. heap-limit")
    message: str = Field(description="in words")
    limit: float | None = None
    measured: float | None = None
    stack: str | None = None


class IsolateView(View):
    """The isolate that a task has now."""

    state: str
    heap_used: int = Field(description="bytes")
    heap_total: int = Field(description="bytes")
    external_used: int = Field(description="bytes")
    cpu_s: float = Field(description="CPU time of its thread since it was made, seconds")
    requests_open: int
    timers: int


class EgressView(View):
    """What a task with limits.net.egress has sent since that was set, as of some seconds ago."""

    bytes: int = Field(description="with the headers of Ethernet, IP and TCP")
    drops: int = Field(description="packets that found the task's queue full")
    waits: int = Field(description="how often a packet had to wait")


class NetView(View):
    """What the clients of a task did, since this process began."""

    received: int = Field(default=0, description="bytes")
    sent: int = Field(default=0, description="bytes of answers")
    connections: int = Field(default=0, description="open now")
    refused: int = Field(default=0, description="connections beyond limits.net.connections, answered with 503")
    paused_s: float = Field(default=0.0, description="for how long some had to wait for limits.net.ingress, seconds")


class TaskView(View):
    """A task on this host."""

    task: str = Field(description="its id as a text")
    state: str = Field(
        description="pending, running, idle, backoff, blocked, stopped, or stranded: on no host that is seen"
    )
    problem: str | None = Field(
        default=None, description="what keeps it from running, e.g. that it waits for a lease; null: nothing"
    )
    wanted: bool = Field(description="false: stopped by an operator, until it is started")
    revision: int = Field(description="rises with every change; in a cluster by more than one, too")
    applied: float = Field(description="when it last changed, seconds since 1970; 0: not known")
    listen: tuple[str, ...] = Field(description="addresses as bound")
    bundle: str | None = Field(default=None, description="digest of the bundle that its files came in")
    isolate: IsolateView | None = None
    requests: int = Field(description="taken by this process")
    failures: int = Field(description="of those: answered 5xx by the host in the program's place")
    boots: int
    cpu_s: float = Field(description="CPU time of all its isolates in this process, seconds")
    wait_s: float | None = Field(default=None, description="back-off or block: seconds until it may boot again")
    throttled_s: float = Field(
        default=0.0, description="for how long limits.cpu.quota made its isolates stand still, seconds"
    )
    warnings: tuple[str, ...] = Field(default=(), description="limits that this host cannot hold, and why")
    net: NetView = NetView()
    egress: EgressView | None = Field(default=None, description="null: without limits.net.egress")
    exits: tuple[ExitView, ...] = Field(default=(), description="the last ends, newest first; at most 10")
    host: str | None = Field(
        default=None, description="id of the host that has it, or had; null: this one, or no cluster"
    )
    spec: dict[str, Any] | None = Field(
        default=None,
        description=f"its settings, defaults written out; of env only the names, with {HIDDEN!r}; not in lists",
    )


class Change(StrEnum):
    """What apply does, or would do."""

    CREATED = "created"
    CHANGED = "changed"
    UNCHANGED = "unchanged"


class AppliedView(View):
    """The outcome of apply, or its plan."""

    task: str
    change: Change
    dry_run: bool
    fields: tuple[str, ...] = Field(
        description="the settings that differ, e.g. limits.mem.heap; 'bundle' for its files"
    )
    restarts: bool = Field(description="whether a running isolate is replaced, the new one answering first")
    listen: tuple[str, ...] = Field(description="addresses as bound; as asked for in a plan")
    warnings: tuple[str, ...] = Field(default=(), description="limits that this host cannot hold, and why")
    host: str | None = Field(default=None, description="id of the host that it is on; null: without a cluster")


class MemberView(View):
    """A host of the cluster, as this one sees it."""

    host: str = Field(description="its id")
    here: bool = Field(description="whether it is the one that was asked")
    alive: str = Field(description="alive, failed or left")
    state: str = Field(description="what it says: starting, up or draining")
    room: bool = Field(description="whether it says that it has room for more tasks")
    image: str = Field(description="what it was booted with; empty: not known")
    booted: float = Field(description="when its machine booted, by its own clock, seconds since 1970")
    since_s: float = Field(description="for how long `alive` has been so, seconds")
    api: str = Field(description="where other hosts reach it")
    tasks: int | None = Field(description="how many it owns; null: it did not say")


class BlockView(View):
    """A script that is not started again for now."""

    sources: str = Field(description="hash of its sources, hex")
    task: str = Field(description="the task that ran it")
    reason: str
    since: float = Field(description="seconds since 1970")
    until: float = Field(description="seconds since 1970")


class LogLine(View):
    """A line of a task's console, or of the host about it."""

    time: float = Field(description="seconds since 1970")
    level: str = Field(description="debug, info, warning or error")
    source: str = Field(description="console: the program wrote it; host: isolated did")
    text: str
    request: str | None = Field(default=None, description="id of the request, where it is known")


class LimitView(View):
    """Something that is bounded for the whole host."""

    used: float
    limit: float | None = Field(description="null: none")
    refused: int = Field(default=0, description="how often something was refused for it")


class EnforcementView(View):
    """Whether this host can hold one of the limits for which it needs the kernel."""

    limit: str = Field(description="the field of a task's settings, e.g. limits.cpu.quota")
    how: str | None = Field(description="what holds it, e.g. cgroup v2 and where; null: it cannot be held here")
    problem: str = Field(default="", description="what is missing, if it cannot be held")
    remedy: str = Field(default="", description="and what to do about it")


class HostView(View):
    """The host itself."""

    pid: int
    version: str
    started: float = Field(description="of this process, seconds since 1970")
    state: str = Field(description="starting, ready, handing-over or draining")
    tasks: dict[str, int] = Field(description="how many by state")
    limits: dict[str, LimitView] = Field(description="isolates, memory, connections, files, mappings")
    rss: int = Field(description="bytes")
    accounted: int = Field(description="bytes of it that living isolates hold")
    parked: int = Field(description="threads that stay for ever")
    faults: int = Field(description="of those, by a wrong access to memory")
    loop_lag_s: float = Field(description="p99 of how late the event loop was in the last minute, seconds")
    handovers: int = Field(description="processes before this one since the service was started")
    enforces: tuple[EnforcementView, ...] = Field(
        default=(), description="the limits that need the kernel, and whether this host can hold them"
    )
    host: str | None = Field(default=None, description="its id in the cluster; null: it is one of none")
    cluster: str | None = Field(default=None, description="what keeps it from the other hosts; null: nothing")
    advice: tuple[str, ...] = Field(default=(), description="what the operator should mend, with how")


class HandoverView(View):
    """How a hand-over ended."""

    pid: int = Field(description="of the successor")
    tasks: int
    sockets: int
    took_s: float


class LogChunk(View):
    """Lines of a task's log."""

    lines: tuple[LogLine, ...]
    dropped: int = Field(default=0, description="lines before these that are not kept any more")
