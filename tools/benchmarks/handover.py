"""`bench daemon`: one process after the other takes over while wrk asks all tasks. No request may fail."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

from tools.benchmarks.figures import median
from tools.benchmarks.load import Wrk
from tools.benchmarks.our_host import free_ports, our_host
from tools.benchmarks.results import MeasurementFailed
from tools.benchmarks.subject import Daemons

KEPT, CLOSED = "keep-alive", "close"
CASES = (KEPT, CLOSED)
PAUSE_SECONDS = 0.5  # before the first hand-over and after each
MOST_SECONDS = 600  # what wrk is told; it is asked to end before


@dataclass(frozen=True)
class Relay:
    """tasks: asked all the while, on `connections` in all. handovers: how often a process takes over."""

    tasks: int = 20
    connections: int = 40
    handovers: int = 10


def measure(wrk: Wrk, subject: Daemons, case: str, relay: Relay, folder: Path) -> dict[str, float]:
    """Hands over under load. Raises MeasurementFailed."""
    ports = free_ports(relay.tasks)
    took: list[float] = []
    with our_host(folder) as host:
        for port in ports:
            host.control.apply(subject.task(folder, port, idle="1h"))
        with wrk.all_the_while(
            ports, connections=relay.connections, seconds=MOST_SECONDS, close=case == CLOSED, folder=folder
        ) as load:
            time.sleep(PAUSE_SECONDS)
            for _ in range(relay.handovers):
                took.append(host.control.upgrade()["tookS"] * 1e3)
                time.sleep(PAUSE_SECONDS)
            report = load.end()
        done = host.control.status()["handovers"]
    if done != relay.handovers:
        raise MeasurementFailed(f"{done} hand-overs instead of {relay.handovers}")
    return {
        "handovers": float(done),
        "took_p50_ms": median(took),
        "took_max_ms": max(took),
        "requests": float(report.requests),
        "failed": float(report.errors),
        "p50_ms": report.p50_ms,
        "p99_ms": report.p99_ms,
        "max_ms": report.max_ms,
    }
