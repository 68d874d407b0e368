"""`bench daemon`: kill -9 of the daemon while its tasks are awake, and how soon all of them answer after that."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tools.benchmarks.applying import apply_many
from tools.benchmarks.asking import answered
from tools.benchmarks.figures import median
from tools.benchmarks.our_host import OurHost, our_host
from tools.benchmarks.subject import Daemons

IDLE = "1h"
BACK_SECONDS = 60.0  # until all answer again, at most
SETTLE_SECONDS = 1.0  # after a start, before the next end


@dataclass(frozen=True)
class Back:
    """Seconds from the kill to the first task's answer, and to the last one's."""

    first: float
    last: float


def back_after_kill(host: OurHost, ports: Sequence[int]) -> Back:
    """Kills the host, starts it at once, asks every port until it answers. Raises MeasurementFailed."""
    began = time.monotonic()
    host.kill()
    host.begin()
    moments = answered(ports, BACK_SECONDS)
    host.check()
    return Back(moments[0] - began, moments[-1] - began)


def measure(subject: Daemons, count: int, kills: int, folder: Path) -> dict[str, float]:
    """Kills a host of `count` tasks that are awake, `kills` times. Raises MeasurementFailed."""
    seen: list[Back] = []
    with our_host(folder) as host:
        ports = apply_many(host, subject, count, folder, idle=IDLE).ports
        answered(ports, BACK_SECONDS)
        for _ in range(kills):
            time.sleep(SETTLE_SECONDS)
            seen.append(back_after_kill(host, ports))
            host.wait_ready()
    return {
        "kills": float(kills),
        "first_back_s": median([each.first for each in seen]),
        "all_back_s": median([each.last for each in seen]),
        "all_back_max_s": max(each.last for each in seen),
    }
