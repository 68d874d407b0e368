"""`bench density`: memory per idle isolate, as the difference to the same process without any."""

from __future__ import annotations

import time
from pathlib import Path

from tools.benchmarks import procfs
from tools.benchmarks.procfs import Memory
from tools.benchmarks.subject import Holds

MIB = 1024 * 1024
SETTLE_SECONDS = 1.0  # after the last answer: allocators and collectors that run when idle have had their turn


def measure(subject: Holds, count: int, folder: Path) -> dict[str, float]:
    """Compares `count` idle isolates with none; each isolate has answered once. Raises MeasurementFailed."""
    base, _ = _memory(subject, 0, folder)
    full, seconds = _memory(subject, count, folder)
    return {
        "rss_per_isolate_mib": (full.rss - base.rss) / count / MIB,
        "pss_per_isolate_mib": (full.pss - base.pss) / count / MIB,
        "rss_mib": full.rss / MIB,
        "rss_empty_mib": base.rss / MIB,
        "start_ms_per_isolate": seconds * 1e3 / count,
    }


def _memory(subject: Holds, count: int, folder: Path) -> tuple[Memory, float]:
    with subject.idle(folder, count) as idle:
        time.sleep(SETTLE_SECONDS)
        return procfs.session_memory(idle.pid), idle.seconds
