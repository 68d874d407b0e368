"""`bench limits`: isolates that spin under limits.cpu.quota: what they get, and what the loop and a neighbour feel."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tools.benchmarks import procfs
from tools.benchmarks.applying import apply_many
from tools.benchmarks.asking import first_byte_ms
from tools.benchmarks.figures import median, percentile
from tools.benchmarks.http_load import Usage
from tools.benchmarks.our_host import OurHost, free_ports, our_host
from tools.benchmarks.results import MeasurementFailed
from tools.benchmarks.subject import Limits

IDLE = "1h"
WARM_UP_SECONDS = 1.0
PAUSE_SECONDS = 0.05  # between two questions to the neighbour
LAG = "isolated_loop_lag_p99_seconds", "isolated_loop_lag_worst_seconds"  # of the last minute


@dataclass(frozen=True)
class Spinners:
    """quotas: one for each isolate that spins, None: it has none. core: where all of them are; None: anywhere."""

    quotas: Sequence[float | None]
    core: int | None = None


CASES: Mapping[str, Spinners] = {
    "nobody spins": Spinners([]),
    "20 % and none, on one core": Spinners([0.2, None], core=0),
    "20 of 5 %": Spinners([0.05] * 20),
}


def measure(subject: Limits, case: str, seconds: int, folder: Path) -> dict[str, float]:
    """Has isolates spin for so long while a neighbour is asked. Raises MeasurementFailed."""
    spinners = CASES[case]
    with our_host(folder) as host:
        neighbour = apply_many(host, subject, 1, folder, idle=IDLE).ports[0]
        for quota in spinners.quotas:
            _spin(host, subject, folder, quota, spinners.core)
        time.sleep(WARM_UP_SECONDS)
        usage, before, began = Usage.now(host.pid), procfs.thread_cpu_seconds(host.pid, "isolate-"), time.monotonic()
        answers = []
        while time.monotonic() < began + seconds:
            time.sleep(PAUSE_SECONDS)
            answers.append(first_byte_ms(neighbour))
        took, after = time.monotonic() - began, procfs.thread_cpu_seconds(host.pid, "isolate-")
        used = Usage.now(host.pid).since(usage)
        lag, worst = _gauges(host.control.metrics())
    shares = sorted(((cpu - before.get(thread, 0.0)) / took for thread, cpu in after.items()), reverse=True)
    limited = len([quota for quota in spinners.quotas if quota is not None])
    free = len(spinners.quotas) - limited  # those have most
    return {
        **({"most_percent": shares[free] * 100, "least_percent": shares[free + limited - 1] * 100} if limited else {}),
        "lag_p99_ms": lag * 1e3,
        "lag_worst_ms": worst * 1e3,
        "p50_ms": median(answers),
        "p99_ms": percentile(answers, 99),
        "other_cpu_percent": used.other_percent,
    }


def _spin(host: OurHost, subject: Limits, folder: Path, quota: float | None, core: int | None) -> None:
    port = free_ports(1)[0]
    host.control.apply(subject.spinner(folder, port, quota=quota, core=core))
    first_byte_ms(port)  # it spins once it has answered


def _gauges(text: str) -> Sequence[float]:
    values = dict(line.split() for line in text.splitlines() if line.startswith(LAG))
    try:
        return [float(values[name]) for name in LAG]
    except KeyError as missing:
        raise MeasurementFailed(f"the host's metrics have no {missing}") from missing
