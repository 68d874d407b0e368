"""`bench coldstart`: from "make an isolate" to its first answer."""

from __future__ import annotations

from pathlib import Path

from tools.benchmarks.figures import median, percentile
from tools.benchmarks.subject import Boots


def measure(subject: Boots, count: int, folder: Path) -> dict[str, dict[str, float]]:
    """Starts `count` isolates one after another; returns the metrics per case. Raises MeasurementFailed."""
    return {
        case: {
            "p50_ms": median(times),
            "p99_ms": percentile(times, 99),
            "min_ms": min(times),
            "count": float(len(times)),
        }
        for case, times in subject.starts(folder, count).items()
    }
