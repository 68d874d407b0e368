"""Which CPU cores a thread may be pinned to."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from supervisor.spec.refused import Refused


@dataclass(frozen=True, slots=True)
class Cores:
    """The cores of a machine and those of them that this process may use."""

    online: frozenset[int]
    allowed: frozenset[int]

    def check(self, wanted: int | Iterable[int] | None) -> None:
        """Raises Refused if a thread cannot be pinned to a core, or to one of several; None is any."""
        if wanted is None:
            return
        for core in [wanted] if isinstance(wanted, int) else wanted:
            self._check(core)

    def _check(self, core: int) -> None:
        if core in self.allowed:
            return
        there = core in self.online
        message = f"this process may not use core {core}" if there else f"this machine has no core {core}"
        remedy = "leave `cpu` out to run on any core"
        if there:
            remedy += ", or widen the process's CPU set (taskset, cpuset)"
        raise Refused(message, allowed=f"cores {format_cores(self.allowed)}", remedy=remedy)


def parse_cores(text: str) -> frozenset[int]:
    """The cores in the kernel's list format ('0-3,8'); ValueError if it is not that (cpuset(7), Formats)."""
    cores: set[int] = set()
    for part in text.strip().split(","):
        first, dash, last = part.partition("-")
        cores.update(range(int(first), int(last if dash else first) + 1))
    return frozenset(cores)


def format_cores(cores: Iterable[int]) -> str:
    """The cores in the kernel's list format, shortest form."""
    runs: list[list[int]] = []
    for core in sorted(cores):
        if runs and core == runs[-1][1] + 1:
            runs[-1][1] = core
        else:
            runs.append([core, core])
    return ",".join(str(first) if first == last else f"{first}-{last}" for first, last in runs)
