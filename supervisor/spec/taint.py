"""What a process has lost to threads that had to be parked: what decides whether a fresh one should take over."""

from __future__ import annotations

from dataclasses import dataclass

from supervisor.spec.units import SIZE


@dataclass(frozen=True, slots=True)
class Taint:
    """Memory in bytes, the rest counts."""

    parked: int  # threads that stay for ever, with what they had
    faults: int  # of those, by a wrong access to memory: what is in memory may be damaged
    mappings: int  # pieces of address space
    mappings_limit: int  # of a process, vm.max_map_count
    rss: int
    accounted: int  # of the RSS: what living isolates hold; the rest is the host's own, and what parked threads keep

    @property
    def unaccounted(self) -> int:
        """Memory that no living isolate answers for; never negative, though shared pages are counted in both."""
        return max(0, self.rss - self.accounted)


@dataclass(frozen=True, slots=True)
class Thresholds:
    """How much taint a process may have. None = any."""

    parked: int | None
    mappings: float | None  # share of the limit
    memory: int | None  # bytes of what is unaccounted


def why_hand_over(taint: Taint, thresholds: Thresholds) -> str | None:
    """Why a fresh process should take over now, in words; None if this one may go on.

    A process without parked threads is never replaced: a fresh one would need as much as it does.
    """
    if taint.faults > 0:
        return f"a wrong access to memory parked {_threads(taint.faults)}: other memory may be damaged"
    if taint.parked == 0:
        return None
    parked = f"{_threads(taint.parked)} parked"
    if thresholds.parked is not None and taint.parked >= thresholds.parked:
        return f"{parked}, handoverParked is {thresholds.parked}"
    if thresholds.mappings is not None and taint.mappings >= thresholds.mappings * taint.mappings_limit:
        share = f"handoverMappings is {thresholds.mappings:g} of {taint.mappings_limit}"
        return f"{taint.mappings} mappings with {parked}, {share}"
    if thresholds.memory is not None and taint.unaccounted >= thresholds.memory:
        limit = f"handoverMemory is {SIZE.tell(thresholds.memory)}"
        return f"{SIZE.tell(taint.unaccounted)} that no isolate accounts for with {parked}, {limit}"
    return None


def _threads(count: int) -> str:
    return f"{count} thread{'' if count == 1 else 's'}"
