"""What a host holds at one moment."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tools.benchmarks import procfs

MIB = 2**20
PROC = Path("/proc")


LINE = re.compile(
    r"(?:(?P<moment>begin|end) )? *(?P<seconds>\d+) s: (?P<rss_mib>[\d.]+) MiB, (?P<processes>\d+) processes, "
    r"(?P<threads>\d+) threads, (?P<files>\d+) fds, (?P<mappings>\d+) mappings, (?P<isolates>\d+) isolates, "
    r"(?P<parked>\d+) parked, (?P<handovers>\d+) hand-overs(?:;.*)?"
)


@dataclass(frozen=True)
class Figures:
    """rss_mib, processes: the host and whoever waits for it; the rest is the host's alone.

    moment: "begin" or "end" if they were taken at rest, after a hand-over or before one; None: in the midst of work.
    handovers: so many processes were the host before this one.
    """

    seconds: float
    rss_mib: float
    processes: int
    threads: int
    files: int
    mappings: int
    isolates: int
    parked: int
    handovers: int
    moment: str | None = None

    def line(self) -> str:
        """For people; parsed() reads it."""
        moment = "" if self.moment is None else f"{self.moment} "
        return (
            f"{moment}{self.seconds:5.0f} s: {self.rss_mib:.1f} MiB, {self.processes} processes, "
            f"{self.threads} threads, {self.files} fds, {self.mappings} mappings, {self.isolates} isolates, "
            f"{self.parked} parked, {self.handovers} hand-overs"
        )


def parsed(text: str) -> list[Figures]:
    """All figures in what a soak has said; lines of other kinds are left out."""
    found = []
    for line in text.splitlines():
        if (match := LINE.fullmatch(line.rstrip())) is not None:
            values = match.groupdict()
            moment, seconds, rss = values.pop("moment"), float(values.pop("seconds")), float(values.pop("rss_mib"))
            counts = {name: int(value) for name, value in values.items()}
            found.append(Figures(seconds=seconds, rss_mib=rss, moment=moment, **counts))
    return found


def figures_of(seconds: float, leader: int, status: Mapping[str, Any], moment: str | None = None) -> Figures:
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
        moment=moment,
    )


def _count(folder: Path) -> int:
    return sum(1 for _ in folder.iterdir())
