"""Figures of a host to make metrics of."""

from __future__ import annotations

from typing import Any

from supervisor.spec.histogram import Histogram
from supervisor.spec.views import LimitView
from supervisor.telemetry.figures import HostFigures, TaskFigures


def host(*tasks: TaskFigures, **changed: Any) -> HostFigures:
    requests, boots = Histogram(), Histogram()
    for seconds in (0.0001, 0.0003, 0.0003, 0.9, 100.0):
        requests.observe(seconds)
    boots.observe(0.002)
    figures: dict[str, Any] = {
        "version": "1.2.3",
        "started": 1_700_000_000.25,
        "states": {"running": 2, "idle": 40},
        "tasks": tasks,
        "requests": requests,
        "boots": boots,
        "limits": {"isolates": LimitView(used=6, limit=2000, refused=3), "memory": LimitView(used=7, limit=None)},
        "refused": {"host-full": 3, "queue-full": 4},
        "isolates": 6,
        "warm": 4,
        "parked": 1,
        "faults": 0,
        "blocked": 2,
        "accounted": 5 * 2**20,
        "loop_lag_p99_s": 0.001,
        "loop_lag_worst_s": 0.02,
        "handovers": 3,
        "log_dropped": 9,
        "cpu_s": 12.5,
        "rss": 2**27,
        "open_files": 30,
        "open_files_limit": 1_048_576,
    }
    return HostFigures(**(figures | changed))


def task(name: str, **changed: Any) -> TaskFigures:
    figures: dict[str, Any] = {
        "state": "running",
        "requests": 10,
        "failures": {"heap-limit": 1, "queue-full": 2},
        "boots": 3,
        "exits": {"idle": 1, "heap-limit": 1},
        "cpu_s": 0.25,
        "console_dropped": 5,
        "answered": 9,
        "answering_s": 0.5,
        "heap_used": 1000,
        "heap_total": 2000,
        "external_used": 300,
        "open": 1,
    }
    return TaskFigures(name, **(figures | changed))
