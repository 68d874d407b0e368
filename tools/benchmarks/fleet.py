"""`bench daemon`: a host of many tasks that sleep. What they cost, how each wakes, and a crash."""

from __future__ import annotations

import time
from pathlib import Path

from tools.benchmarks import crash, procfs
from tools.benchmarks.applying import apply_many
from tools.benchmarks.asking import first_byte_ms
from tools.benchmarks.figures import median, percentile
from tools.benchmarks.http_load import MIB, Usage
from tools.benchmarks.our_host import OurHost, our_host
from tools.benchmarks.results import MeasurementFailed
from tools.benchmarks.subject import Daemons

IDLE = "1s"
ASLEEP_SECONDS = 60.0  # until all sleep
LOOK_SECONDS = 0.1
SETTLE_SECONDS = 2.0
SPARE = 100  # isolates that the host may have besides those of the tasks


def measure(subject: Daemons, count: int, folder: Path) -> dict[str, float]:
    """Applies `count` tasks, lets them sleep, wakes each, and kills the host. Raises MeasurementFailed."""
    with our_host(folder, {"isolates": count + SPARE}) as host:
        empty = _memory(host)
        applied = apply_many(host, subject, count, folder, idle=IDLE)
        _wait_asleep(host, count)
        asleep = _memory(host)
        before = Usage.now(host.pid)
        first = [first_byte_ms(port) for port in applied.ports]
        used = Usage.now(host.pid).since(before)
        woken = _memory(host)
        _wait_asleep(host, count)
        again = _memory(host)
        back = crash.back_after_kill(host, applied.ports)
    return {
        "apply_p50_ms": median(applied.milliseconds),
        "apply_p99_ms": percentile(applied.milliseconds, 99),
        "p50_ms": median(first),
        "p99_ms": percentile(first, 99),
        "max_ms": max(first),
        "rss_empty_mib": empty.rss / MIB,
        "rss_asleep_mib": asleep.rss / MIB,
        "rss_per_task_kib": (asleep.rss - empty.rss) / procfs.KIB / count,
        "rss_woken_mib": woken.rss / MIB,
        "rss_again_mib": again.rss / MIB,
        "pss_asleep_mib": asleep.pss / MIB,
        "all_back_s": back.last,
        "other_cpu_percent": used.other_percent,
    }


def _wait_asleep(host: OurHost, count: int) -> None:
    deadline = time.monotonic() + ASLEEP_SECONDS
    while (states := host.control.status()["tasks"])["idle"] < count:
        if time.monotonic() > deadline:
            raise MeasurementFailed(f"not all of {count} tasks sleep within {ASLEEP_SECONDS:.0f} s: {states}")
        time.sleep(LOOK_SECONDS)
    time.sleep(SETTLE_SECONDS)


def _memory(host: OurHost) -> procfs.Memory:
    return procfs.session_memory(host.pid)
