"""When to try again what failed: pure, chance is a parameter."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random


@dataclass(frozen=True, slots=True)
class Retry:
    """Seconds: the first pause, doubled each time up to the longest; up to a quarter of it is taken off by chance."""

    first_s: float
    longest_s: float

    def pause_s(self, failures: int, chance: Random) -> float:
        """After so many failures in a row; hosts that fail together do not come back together."""
        pause = min(self.longest_s, self.first_s * 2.0 ** min(failures - 1, 1000))
        return pause * (1 - chance.random() / 4)
