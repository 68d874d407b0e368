"""What a process has lost to threads that had to be parked: what decides whether a fresh one should take over."""

from __future__ import annotations

from dataclasses import dataclass


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
