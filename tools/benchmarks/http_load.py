"""`bench http`: requests per second, latency, CPU per request and memory under load."""

from __future__ import annotations

import os
import resource
import time
from dataclasses import dataclass
from pathlib import Path

from tools.benchmarks import procfs
from tools.benchmarks.children import free_port, started
from tools.benchmarks.load import WORKLOADS, Wrk
from tools.benchmarks.probe import check_answer, wait_until_ready
from tools.benchmarks.subject import HOST, Serves

MIB = 1024 * 1024
WARM_UP_SECONDS = 1  # unmeasured load before each measurement: compilers have done most of their work by then


@dataclass(frozen=True)
class HttpOptions:
    """connections: kept open at once, each with one request in flight. seconds: length of one measurement."""

    connections: int
    seconds: int


def measure(wrk: Wrk, subject: Serves, case: str, options: HttpOptions, folder: Path) -> dict[str, float]:
    """Starts the subject's server, warms it up, measures it once and ends it. Raises MeasurementFailed."""
    workload = next(workload for workload in WORKLOADS if workload.name == case)
    port = free_port()
    url = f"http://{HOST}:{port}"
    with started(subject.serve(folder, port)) as child:
        wait_until_ready(child, port)
        check_answer(port, workload)
        wrk.run(workload, url, connections=options.connections, seconds=WARM_UP_SECONDS, folder=folder)
        before = Usage.now(child.pid)
        report = wrk.run(workload, url, connections=options.connections, seconds=options.seconds, folder=folder)
        used = Usage.now(child.pid).since(before)
        child.check()
        memory = procfs.session_memory(child.pid)
    return {
        "requests_per_s": report.requests / report.seconds,
        "cpu_us_per_request": used.server * 1e6 / report.requests,
        "p50_ms": report.p50_ms,
        "p99_ms": report.p99_ms,
        "max_ms": report.max_ms,
        "rss_mib": memory.rss / MIB,
        "pss_mib": memory.pss / MIB,
        "errors": float(report.errors),
        "other_cpu_percent": used.other_percent,
    }


@dataclass(frozen=True)
class Usage:
    """CPU seconds used so far by the server's session, by this process and its ended children (wrk), by the machine."""

    wall: float
    server: float
    load: float
    machine: float

    @classmethod
    def now(cls, leader: int) -> Usage:
        """Reads all counters at once, the server's being those of the session that `leader` leads."""
        ours = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
        return cls(
            wall=time.monotonic(),
            server=procfs.session_cpu_seconds(leader),
            load=sum(usage.ru_utime + usage.ru_stime for usage in ours),
            machine=procfs.machine_busy_seconds(),
        )

    def since(self, earlier: Usage) -> Usage:
        """Returns what was used between the two."""
        return Usage(
            wall=self.wall - earlier.wall,
            server=self.server - earlier.server,
            load=self.load - earlier.load,
            machine=self.machine - earlier.machine,
        )

    @property
    def others(self) -> float:
        """What neither server nor load generator used: noise. Never below 0, though the clocks differ in grain."""
        return max(0.0, self.machine - self.server - self.load)

    @property
    def other_percent(self) -> float:
        """The same as a share of the whole machine."""
        return self.others * 100 / (self.wall * len(os.sched_getaffinity(0)))
