"""`bench daemon`: the first answer of a task that sleeps, beside one that is awake."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tools.benchmarks.applying import apply_many
from tools.benchmarks.asking import first_byte_ms
from tools.benchmarks.figures import median, percentile
from tools.benchmarks.http_load import Usage
from tools.benchmarks.our_host import OurHost, our_host
from tools.benchmarks.results import MeasurementFailed
from tools.benchmarks.subject import Daemons

LONG = "1h"  # nobody falls asleep while others are woken: after a restart all sleep
SETTLE_SECONDS = 1.0
# Between two wake-ups the warm pool makes one more isolate: it begins 20 ms after one was taken.
PAUSE_SECONDS = 0.05
SPARE = 100  # isolates that the host may have besides those of the tasks


@dataclass(frozen=True)
class Times:
    """Milliseconds from connect() to the first byte, one per request; noise: see http."""

    asleep: Sequence[float]
    awake: Sequence[float]
    other_cpu_percent: float


def times(subject: Daemons, count: int, folder: Path) -> Times:
    """Wakes `count` tasks one after another, and asks one that is awake as often. Raises MeasurementFailed."""
    with our_host(folder, {"isolates": count + SPARE}) as host:
        ports = apply_many(host, subject, count, folder, idle=LONG).ports
        host.stop()
        host.begin()
        host.wait_ready()
        time.sleep(SETTLE_SECONDS)
        _check_asleep(host, count)
        before = Usage.now(host.pid)
        asleep = [_after_a_pause(port) for port in ports]
        awake = [_after_a_pause(ports[0]) for _ in ports]
        used = Usage.now(host.pid).since(before)
    return Times(asleep, awake, used.other_percent)


def measure(subject: Daemons, count: int, folder: Path) -> dict[str, dict[str, float]]:
    """Returns the metrics of both cases. Raises MeasurementFailed."""
    seen = times(subject, count, folder)
    return {
        case: {
            "p50_ms": median(values),
            "p99_ms": percentile(values, 99),
            "min_ms": min(values),
            "max_ms": max(values),
            "count": float(len(values)),
            "other_cpu_percent": seen.other_cpu_percent,
        }
        for case, values in (("asleep", seen.asleep), ("awake", seen.awake))
    }


def _check_asleep(host: OurHost, count: int) -> None:
    states = {state: number for state, number in host.control.status()["tasks"].items() if number}
    if states != {"idle": count}:
        raise MeasurementFailed(f"not all of {count} tasks sleep after a restart: {states}")


def _after_a_pause(port: int) -> float:
    time.sleep(PAUSE_SECONDS)
    return first_byte_ms(port)
