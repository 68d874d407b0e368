"""`bench daemon`: a host of many tasks that sleep. What they cost, how each wakes, and a crash."""

from __future__ import annotations

import time
from pathlib import Path

from tools.benchmarks import procfs
from tools.benchmarks.asking import answered, first_byte_ms
from tools.benchmarks.figures import median, percentile
from tools.benchmarks.our_host import OurHost, free_ports, our_host
from tools.benchmarks.results import MeasurementFailed
from tools.benchmarks.subject import Daemons

MIB = 1024 * 1024
IDLE = "1s"
ASLEEP_SECONDS = 60.0  # until all sleep
SETTLE_SECONDS = 2.0
CRASH_SECONDS = 60.0  # until all answer again


def measure(subject: Daemons, count: int, folder: Path) -> dict[str, float]:
    """Applies `count` tasks, lets them sleep, wakes each, and kills the host. Raises MeasurementFailed."""
    ports = free_ports(count)
    with our_host(folder) as host:
        empty = _memory(host)
        applied = [_apply_ms(host, subject, folder, port) for port in ports]
        _wait_asleep(host, count)
        asleep = _memory(host)
        first = [first_byte_ms(port) for port in ports]
        woken = _memory(host)
        _wait_asleep(host, count)
        again = _memory(host)
        began = time.monotonic()
        host.kill()
        host.begin()
        back = answered(ports, CRASH_SECONDS)
        host.check()
    return {
        "apply_p50_ms": median(applied),
        "apply_p99_ms": percentile(applied, 99),
        "p50_ms": median(first),
        "p99_ms": percentile(first, 99),
        "max_ms": max(first),
        "rss_empty_mib": empty.rss / MIB,
        "rss_asleep_mib": asleep.rss / MIB,
        "rss_woken_mib": woken.rss / MIB,
        "rss_again_mib": again.rss / MIB,
        "pss_asleep_mib": asleep.pss / MIB,
        "first_back_s": back[0] - began,
        "all_back_s": back[-1] - began,
    }


def _apply_ms(host: OurHost, subject: Daemons, folder: Path, port: int) -> float:
    settings = subject.task(folder, port, idle=IDLE)
    began = time.perf_counter()
    host.control.apply(settings)
    return (time.perf_counter() - began) * 1e3


def _wait_asleep(host: OurHost, count: int) -> None:
    deadline = time.monotonic() + ASLEEP_SECONDS
    while host.control.status()["tasks"]["idle"] < count:
        if time.monotonic() > deadline:
            raise MeasurementFailed(f"not asleep within {ASLEEP_SECONDS:.0f} s: {host.control.status()['tasks']}")
        time.sleep(0.1)
    time.sleep(SETTLE_SECONDS)


def _memory(host: OurHost) -> procfs.Memory:
    return procfs.session_memory(host.pid)
