"""`bench limits`, its second half: what the kernel's group costs that an isolate with a quota is in."""

from __future__ import annotations

from pathlib import Path

from tools.benchmarks.figures import median, percentile
from tools.benchmarks.subject import Limits


def measure(subject: Limits, count: int, folder: Path) -> dict[str, float]:
    """Makes `count` groups, each with a thread, and removes them. Raises MeasurementFailed."""
    seen = subject.groups(folder, count)
    return {
        "place_p50_ms": median(seen.placed_ms),
        "place_p99_ms": percentile(seen.placed_ms, 99),
        "remove_p50_ms": median(seen.removed_ms),
        "remove_p99_ms": percentile(seen.removed_ms, 99),
        "count": float(len(seen.placed_ms)),
        "left": float(seen.left),
    }
