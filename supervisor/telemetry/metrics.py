"""The host's metrics, from figures to Prometheus text: every name, its meaning and where its value comes from."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from supervisor.telemetry.exposition import Family, Sample, by, histogram, one
from supervisor.telemetry.figures import ClusterFigures, HostFigures, TaskFigures


def text(figures: HostFigures) -> str:
    """All metrics as one text."""
    return "".join(pieces(figures))


def pieces(figures: HostFigures) -> Iterator[str]:
    """The same, family by family: of 1,000 tasks each takes milliseconds, so a loop can do other things in between."""
    tasks = tuple(figures.tasks)
    for family in [*_host(figures), *_process(figures), *_cluster(figures.cluster), *_tasks(tasks)]:
        yield "".join(family.lines())


def _host(host: HostFigures) -> list[Family]:
    limits = {name: limit.limit for name, limit in host.limits.items() if limit.limit is not None}
    return [
        Family("isolated_info", "gauge", "Always 1; the label tells the version.", one(1, version=host.version)),
        Family("isolated_tasks", "gauge", "Tasks on this host by state.", by("state", host.states)),
        Family("isolated_request_seconds", "histogram",
               "Time from a request to the end of its answer, all tasks, waiting for a boot included.",
               histogram(host.requests)),
        Family("isolated_boot_seconds", "histogram",
               "Time that boots took which became ready, all tasks.", histogram(host.boots)),
        Family("isolated_isolates", "gauge", "Isolates alive, those that wait for a task included.",
               one(host.isolates)),
        Family("isolated_isolates_warm", "gauge", "Isolates that wait for a task.", one(host.warm)),
        Family("isolated_parked_threads", "gauge", "Threads that this process has lost for good.", one(host.parked)),
        Family("isolated_faults", "gauge", "Parked threads that accessed memory wrongly.", one(host.faults)),
        Family("isolated_blocked_scripts", "gauge", "Scripts that are not started again for now.",
               one(host.blocked)),
        Family("isolated_accounted_bytes", "gauge", "Memory that living isolates hold.", one(host.accounted)),
        Family("isolated_limit_used", "gauge", "How much of a limit of the host is used.",
               by("limit", {name: limit.used for name, limit in host.limits.items()})),
        Family("isolated_limit", "gauge", "The limits of the host; one that is unlimited is absent.",
               by("limit", limits)),
        Family("isolated_limit_refused_total", "counter", "How often something was refused for a limit of the host.",
               by("limit", {name: limit.refused for name, limit in host.limits.items()})),
        Family("isolated_refused_total", "counter", "Requests that were refused early, by reason.",
               by("reason", host.refused)),
        Family("isolated_loop_lag_p99_seconds", "gauge",
               "How late the event loop was at most in 99 of 100 cases of the last minute.", one(host.loop_lag_p99_s)),
        Family("isolated_loop_lag_worst_seconds", "gauge",
               "How late the event loop was at most in the last minute.", one(host.loop_lag_worst_s)),
        Family("isolated_handovers_total", "counter", "Processes before this one since the service was started.",
               one(host.handovers)),
        Family("isolated_log_lines_dropped_total", "counter", "Log lines that no reader took in time.",
               one(host.log_dropped)),
    ]  # fmt: skip


def _process(host: HostFigures) -> list[Family]:
    """Under the names that every Prometheus client library gives them, so that ready-made dashboards show them."""
    limit = [] if host.open_files_limit is None else one(host.open_files_limit)
    return [
        Family("process_start_time_seconds", "gauge", "Start of the process since 1970.", one(host.started)),
        Family("process_cpu_seconds_total", "counter", "CPU time of the process, all threads.", one(host.cpu_s)),
        Family("process_resident_memory_bytes", "gauge", "Memory of the process in RAM.", one(host.rss)),
        Family("process_open_fds", "gauge", "Open file descriptors.", one(host.open_files)),
        Family("process_max_fds", "gauge", "File descriptors that may be open.", limit),
    ]


def _cluster(cluster: ClusterFigures | None) -> list[Family]:
    if cluster is None:
        return []
    calls = cluster.calls.items()
    return [
        Family("isolated_cluster_hosts", "gauge",
               "Hosts that this one knows, itself included: alive ones by what they say, the others failed or left.",
               by("state", cluster.hosts)),
        Family("isolated_cluster_current", "gauge",
               "1 if that is what the cluster says now; 0 while this host's agent starts or is down.",
               one(cluster.is_current)),
        Family("isolated_cluster_room", "gauge", "1 if this host says that it has room for new tasks.",
               one(cluster.room)),
        Family("isolated_cluster_tasks", "gauge", "Tasks that this host owns, and those that it guards for others.",
               by("role", {"owner": cluster.owned, "guardian": cluster.guarded})),
        Family("isolated_cluster_doubtful_tasks", "gauge",
               "Tasks of this host whose guardians are to be asked whether they are still its own.",
               one(cluster.doubtful)),
        Family("isolated_cluster_events_total", "counter", "What this host did in its cluster, as in its events.",
               by("event", cluster.happened)),
        Family("isolated_cluster_calls_total", "counter",
               "Calls to other hosts by what was asked; those that were not answered in time are silent.",
               [("", {"call": name, "outcome": outcome}, getattr(call, outcome))
                for name, call in calls for outcome in ("answered", "silent")]),
        Family("isolated_cluster_call_seconds", "summary", "Time that calls to other hosts took.",
               [(suffix, {"call": name}, value) for name, call in calls
                for suffix, value in (("_sum", call.seconds), ("_count", call.answered + call.silent))]),
    ]  # fmt: skip


def _tasks(tasks: Sequence[TaskFigures]) -> list[Family]:
    """What is 0 because a task has never run is left out: most tasks of a full host sleep."""
    return [
        Family("isolated_task_state", "gauge", "1 for the state that a task is in.", _states(tasks)),
        Family("isolated_task_requests_total", "counter", "Requests taken.", _every(tasks, lambda task: task.requests)),
        Family("isolated_task_failures_total", "counter",
               "Requests that the host answered in the program's place, by reason.",
               _by_reason(tasks, lambda task: task.failures.items())),
        Family("isolated_task_request_seconds", "summary",
               "Time from a request to the end of its answer, waiting for a boot included.", _answers(tasks)),
        Family("isolated_task_requests_open", "gauge", "Requests under way or waiting.",
               _known(tasks, lambda task: task.open)),
        Family("isolated_task_boots_total", "counter", "Isolates that were booted.",
               _known(tasks, lambda task: task.boots)),
        Family("isolated_task_exits_total", "counter", "Isolates that ended, by reason.",
               _by_reason(tasks, lambda task: task.exits.items())),
        Family("isolated_task_cpu_seconds_total", "counter", "CPU time of all its isolates.",
               _known(tasks, lambda task: task.cpu_s)),
        Family("isolated_task_heap_used_bytes", "gauge", "V8 heap in use.", _known(tasks, lambda task: task.heap_used)),
        Family("isolated_task_heap_bytes", "gauge", "V8 heap.", _known(tasks, lambda task: task.heap_total)),
        Family("isolated_task_external_bytes", "gauge", "Memory off the V8 heap that limits.mem.external counts.",
               _known(tasks, lambda task: task.external_used)),
        Family("isolated_task_console_dropped_total", "counter", "Console lines dropped because there were too many.",
               _known(tasks, lambda task: task.console_dropped)),
        Family("isolated_task_cpu_throttled_seconds_total", "counter",
               "Time for which limits.cpu.quota made isolates stand still.",
               _some(tasks, lambda task: task.throttled_s)),
        Family("isolated_task_connections", "gauge", "Connections of clients, open now.",
               _known(tasks, lambda task: task.connections)),
        Family("isolated_task_connections_refused_total", "counter",
               "Connections beyond limits.net.connections that were answered with 503.",
               _some(tasks, lambda task: task.connections_refused)),
        Family("isolated_task_ingress_bytes_total", "counter", "Bytes received from clients.",
               _known(tasks, lambda task: task.ingress_bytes)),
        Family("isolated_task_ingress_paused_seconds_total", "counter",
               "Time in which a connection had to wait for limits.net.ingress.",
               _some(tasks, lambda task: task.ingress_paused_s)),
        Family("isolated_task_answer_bytes_total", "counter", "Bytes of answers to clients.",
               _known(tasks, lambda task: task.answer_bytes)),
        Family("isolated_task_egress_bytes_total", "counter",
               "Bytes sent under limits.net.egress, with the headers of Ethernet, IP and TCP.",
               _limited(tasks, lambda task: task.egress_bytes)),
        Family("isolated_task_egress_drops_total", "counter",
               "Packets under limits.net.egress that found the task's queue full.",
               _limited(tasks, lambda task: task.egress_drops)),
    ]  # fmt: skip


def _states(tasks: Sequence[TaskFigures]) -> Iterator[Sample]:
    for task in tasks:
        if task.state is not None:
            yield "", {"task": task.task, "state": task.state}, 1


def _every(tasks: Sequence[TaskFigures], value: Callable[[TaskFigures], float]) -> Iterator[Sample]:
    for task in tasks:
        yield "", {"task": task.task}, value(task)


def _known(tasks: Sequence[TaskFigures], value: Callable[[TaskFigures], float]) -> Iterator[Sample]:
    for task in tasks:
        if task.boots or value(task):
            yield "", {"task": task.task}, value(task)


def _limited(tasks: Sequence[TaskFigures], value: Callable[[TaskFigures], float]) -> Iterator[Sample]:
    for task in tasks:
        if task.egress_bytes or value(task):
            yield "", {"task": task.task}, value(task)


def _some(tasks: Sequence[TaskFigures], value: Callable[[TaskFigures], float]) -> Iterator[Sample]:
    for task in tasks:
        if value(task):
            yield "", {"task": task.task}, value(task)


def _by_reason(
    tasks: Sequence[TaskFigures], values: Callable[[TaskFigures], Iterable[tuple[str, int]]]
) -> Iterator[Sample]:
    for task in tasks:
        for reason, value in values(task):
            yield "", {"task": task.task, "reason": reason}, value


def _answers(tasks: Sequence[TaskFigures]) -> Iterator[Sample]:
    for task in tasks:
        if task.answered:
            yield "_sum", {"task": task.task}, task.answering_s
            yield "_count", {"task": task.task}, task.answered
