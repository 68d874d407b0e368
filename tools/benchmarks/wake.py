"""`bench daemon`: the first answer of a task that sleeps, beside one that is awake."""

from __future__ import annotations

import time
from pathlib import Path

from tools.benchmarks.asking import first_byte_ms
from tools.benchmarks.figures import median, percentile
from tools.benchmarks.our_host import free_ports, our_host
from tools.benchmarks.subject import Daemons

LONG = "1h"  # nobody falls asleep while others are woken: after a restart all sleep
SETTLE_SECONDS = 1.0
# Between two wake-ups the warm pool makes one more isolate: it begins 20 ms after one was taken.
PAUSE_SECONDS = 0.05


def measure(subject: Daemons, count: int, folder: Path) -> dict[str, dict[str, float]]:
    """Wakes `count` tasks one after another, and asks one that is awake as often. Raises MeasurementFailed."""
    ports = free_ports(count)
    with our_host(folder) as host:
        for port in ports:
            host.control.apply(subject.task(folder, port, idle=LONG))
        host.stop()
        host.begin()
        host.wait_ready()
        time.sleep(SETTLE_SECONDS)
        before = host.control.status()["tasks"]
        asleep = [_after_a_pause(port) for port in ports]
        awake = [_after_a_pause(ports[0]) for _ in ports]
        used = host.control.status()["limits"]["isolates"]["used"]
    assert before == {**dict.fromkeys(before, 0), "idle": count}, before
    return {
        case: {
            "p50_ms": median(times),
            "p99_ms": percentile(times, 99),
            "min_ms": min(times),
            "max_ms": max(times),
            "count": float(len(times)),
            "isolates": used,
        }
        for case, times in (("asleep", asleep), ("awake", awake))
    }


def _after_a_pause(port: int) -> float:
    time.sleep(PAUSE_SECONDS)
    return first_byte_ms(port)
