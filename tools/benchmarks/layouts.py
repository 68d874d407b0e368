"""What each benchmark's table shows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from tools.benchmarks.containment import score


@dataclass(frozen=True)
class Column:
    """A metric and how it is shown. digits: after the point."""

    metric: str
    title: str
    digits: int = 0


@dataclass(frozen=True)
class Layout:
    """A benchmark's table. compared: the metric that is also shown relative to the reference peer's. words: shown
    before the figures, by title. concludes: makes a line of a subject, its worst rounds and the number of its cases,
    those included that gave no sample.
    """

    title: str
    columns: Sequence[Column]
    compared: str | None = None
    words: Mapping[str, str] = field(default_factory=dict)
    concludes: Callable[[str, Sequence[Mapping[str, float]], int], str] | None = None


LAYOUTS: Mapping[str, Layout] = {
    "http": Layout(
        "HTTP under load",
        [
            Column("requests_per_s", "req/s"),
            Column("cpu_us_per_request", "CPU µs/req", 1),
            Column("p50_ms", "p50 ms", 2),
            Column("p99_ms", "p99 ms", 2),
            Column("rss_mib", "RSS MiB", 1),
            Column("errors", "errors"),
            Column("other_cpu_percent", "noise %"),
        ],
        compared="requests_per_s",
    ),
    "coldstart": Layout(
        "From making an isolate to its first answer",
        [
            Column("p50_ms", "p50 ms", 2),
            Column("p99_ms", "p99 ms", 2),
            Column("min_ms", "min ms", 2),
            Column("count", "starts"),
        ],
    ),
    "density": Layout(
        "Memory per idle isolate, by number of isolates",
        [
            Column("rss_per_isolate_mib", "RSS MiB each", 2),
            Column("pss_per_isolate_mib", "PSS MiB each", 2),
            Column("rss_mib", "RSS MiB", 1),
            Column("rss_empty_mib", "without any", 1),
            Column("start_ms_per_isolate", "start ms each", 2),
        ],
    ),
    "containment": Layout(
        "A tenant runs out of memory: what becomes of the others",
        [
            Column("took_ms", "took ms"),
            Column("peak_rss_mib", "peak MiB"),
            Column("rise_rss_mib", "rise"),
            Column("neighbour_p99_ms", "p99 ms", 1),
            Column("neighbour_worst_ms", "worst ms", 1),
        ],
        words={"process": "process", "tenant": "tenant", "neighbour": "neighbour", "new one": "fresh"},
        concludes=score,
    ),
    "overshoot": Layout(
        "CPU time beyond the budget of a request",
        [
            Column("p50_ms", "p50 ms", 2),
            Column("p90_ms", "p90 ms", 2),
            Column("p99_ms", "p99 ms", 2),
            Column("max_ms", "max ms", 2),
            Column("count", "ended"),
            Column("other_cpu_percent", "noise %"),
        ],
    ),
    "wake": Layout(
        "A task asleep and one awake: from connect to the first byte",
        [
            Column("p50_ms", "p50 ms", 2),
            Column("p99_ms", "p99 ms", 2),
            Column("min_ms", "min ms", 2),
            Column("max_ms", "max ms", 2),
            Column("count", "asked"),
            Column("other_cpu_percent", "noise %"),
        ],
    ),
    "fleet": Layout(
        "Many tasks that sleep, by their number: first answers, memory of the host, all back after kill -9",
        [
            Column("apply_p50_ms", "apply p50 ms", 1),
            Column("apply_p99_ms", "p99", 1),
            Column("p50_ms", "answer p50 ms", 2),
            Column("p99_ms", "p99", 2),
            Column("max_ms", "max", 2),
            Column("rss_empty_mib", "RSS MiB empty", 1),
            Column("rss_asleep_mib", "asleep", 1),
            Column("rss_woken_mib", "woken", 1),
            Column("rss_again_mib", "again", 1),
            Column("rss_per_task_kib", "KiB each"),
            Column("all_back_s", "back s", 2),
            Column("other_cpu_percent", "noise %"),
        ],
    ),
    "handover": Layout(
        "Hand-overs while all tasks are asked, by what becomes of connections",
        [
            Column("handovers", "hand-overs"),
            Column("requests", "requests"),
            Column("failed", "failed"),
            Column("took_p50_ms", "took p50 ms"),
            Column("took_max_ms", "max"),
            Column("p50_ms", "answer p50 ms", 2),
            Column("p99_ms", "p99", 2),
            Column("max_ms", "max", 1),
        ],
    ),
    "quota": Layout(
        "Isolates that spin under limits.cpu.quota: their shares of a core, the host's loop, a neighbour's answers",
        [
            Column("most_percent", "share most %", 2),
            Column("least_percent", "least %", 2),
            Column("lag_p99_ms", "loop lag p99 ms", 2),
            Column("lag_worst_ms", "worst", 1),
            Column("p50_ms", "answer p50 ms", 2),
            Column("p99_ms", "p99", 2),
            Column("other_cpu_percent", "noise %"),
        ],
    ),
    "groups": Layout(
        "The group that an isolate with a quota is in, by their number",
        [
            Column("place_p50_ms", "made and entered p50 ms", 2),
            Column("place_p99_ms", "p99", 2),
            Column("remove_p50_ms", "removed p50 ms", 3),
            Column("remove_p99_ms", "p99", 3),
            Column("count", "groups"),
            Column("left", "left"),
        ],
    ),
    "crash": Layout(
        "kill -9 of a host, by its tasks: until they answer",
        [
            Column("kills", "kills"),
            Column("first_back_s", "first answer s", 2),
            Column("all_back_s", "all answered s", 2),
            Column("all_back_max_s", "max", 2),
        ],
    ),
}
