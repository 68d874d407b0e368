"""`bench daemon`: one process after the other takes over while wrk asks all tasks. No request may fail."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

from tools.benchmarks.applying import apply_many
from tools.benchmarks.control import ANSWER_SECONDS
from tools.benchmarks.figures import median
from tools.benchmarks.load import Wrk
from tools.benchmarks.load_many import load_on
from tools.benchmarks.our_host import our_host
from tools.benchmarks.results import MeasurementFailed
from tools.benchmarks.subject import Daemons

KEPT, CLOSED = "keep-alive", "close"
CASES = (KEPT, CLOSED)
IDLE = "1h"
PAUSE_SECONDS = 0.5  # before the first hand-over and after each


@dataclass(frozen=True)
class Relay:
    """tasks: asked all the while, each on so many connections. handovers: how often a process takes over."""

    tasks: int = 20
    connections_each: int = 2
    handovers: int = 10

    @property
    def most_seconds(self) -> int:
        """What wrk is told to go on for; it is asked to end before."""
        return int((self.handovers + 1) * (ANSWER_SECONDS + PAUSE_SECONDS))


def measure(wrk: Wrk, subject: Daemons, case: str, relay: Relay, folder: Path) -> dict[str, float]:
    """Hands over under load. Raises MeasurementFailed."""
    took: list[float] = []
    with our_host(folder) as host:
        ports = apply_many(host, subject, relay.tasks, folder, idle=IDLE).ports
        load = load_on(
            wrk, ports, connections=relay.tasks * relay.connections_each, seconds=relay.most_seconds,
            close=case == CLOSED, folder=folder,
        )  # fmt: skip
        with load as going:
            time.sleep(PAUSE_SECONDS)
            for _ in range(relay.handovers):
                took.append(host.control.upgrade()["tookS"] * 1e3)
                time.sleep(PAUSE_SECONDS)
            report = going.end()
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
