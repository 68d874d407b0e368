"""Many tasks on a host, each with a port of its own."""

from __future__ import annotations

import http.client
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tools.benchmarks.control import Refusal
from tools.benchmarks.our_host import OurHost, free_ports
from tools.benchmarks.subject import Daemons

LOST_AT_MOST = 20  # ports that somebody else took before the host did: other programs look for ports, too


@dataclass(frozen=True)
class Applied:
    """ports: one per task, in the order of applying. milliseconds: what each apply took."""

    ports: Sequence[int]
    milliseconds: Sequence[float]


def apply_many(host: OurHost, subject: Daemons, count: int, folder: Path, *, idle: str) -> Applied:
    """Applies `count` tasks one after another; a port that was lost is replaced. Raises MeasurementFailed."""
    wanted = free_ports(count)
    lost = 0
    ports: list[int] = []
    times: list[float] = []
    while wanted:
        port = wanted.pop()
        settings = subject.task(folder, port, idle=idle)
        began = time.perf_counter()
        try:
            host.control.apply(settings)
        except Refusal as refusal:
            lost += 1
            if refusal.status != http.client.CONFLICT or lost > LOST_AT_MOST:
                raise
            wanted += [other for other in free_ports(len(wanted) + 1) if other not in wanted][:1]
            continue
        times.append((time.perf_counter() - began) * 1e3)
        ports.append(port)
    return Applied(ports, times)
