"""`bench containment`, its second half: CPU time that a request gets beyond its budget before it is over."""

from __future__ import annotations

from pathlib import Path

from tools.benchmarks.figures import percentile
from tools.benchmarks.subject import Budgets, Load


def case(load: Load) -> str:
    """What the row is called."""
    return f"{load.budget_ms} ms, {load.busy} busy, {load.idle} idle"


def measure(subject: Budgets, load: Load, folder: Path) -> dict[str, float]:
    """Ends requests by their CPU limit; returns the metrics. Raises MeasurementFailed."""
    seen = subject.overshoots(folder, load)
    return {
        "p50_ms": percentile(seen.milliseconds, 50),
        "p90_ms": percentile(seen.milliseconds, 90),
        "p99_ms": percentile(seen.milliseconds, 99),
        "max_ms": max(seen.milliseconds),
        "count": float(len(seen.milliseconds)),
        "other_cpu_percent": seen.other_cpu_percent,
    }
