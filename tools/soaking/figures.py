"""What a host holds at one moment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tools.benchmarks import procfs

MIB = 2**20
PROC = Path("/proc")


@dataclass(frozen=True)
class Figures:
    """rss_mib: of the host and whoever waits for it; the rest is the host's alone."""

    seconds: float
    rss_mib: float
    processes: int
    threads: int
    files: int
    mappings: int
    isolates: int
    parked: int
    handovers: int

    def line(self) -> str:
        """For people."""
        return (
            f"{self.seconds:5.0f} s: {self.rss_mib:.0f} MiB, {self.threads} threads, {self.files} fds, "
            f"{self.mappings} mappings, {self.isolates} isolates, {self.parked} parked, {self.handovers} hand-overs"
        )


def figures_of(seconds: float, leader: int, status: Mapping[str, Any]) -> Figures:
    """Now; `leader` leads the session, `status` is what the host says. OSError: it went meanwhile."""
    host = PROC / str(status["pid"])
    return Figures(
        seconds=seconds,
        rss_mib=procfs.session_memory(leader).rss / MIB,
        processes=len(procfs.session_processes(leader)),
        threads=_count(host / "task"),
        files=_count(host / "fd"),
        mappings=(host / "maps").read_bytes().count(b"\n"),
        isolates=int(status["limits"]["isolates"]["used"]),
        parked=int(status["parked"]),
        handovers=int(status["handovers"]),
    )


def _count(folder: Path) -> int:
    return sum(1 for _ in folder.iterdir())
