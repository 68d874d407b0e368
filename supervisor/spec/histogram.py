"""How long things took, counted in steps of doubling length: cheap enough for every request."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

# The first step ends at 1/8 ms, below any answer over a network; each further one is twice as long.
STEPS_PER_SECOND = 8000
# Steps that have a bound of their own: the last ends at 32.768 s, past the default of limits.cpu.wall.
BOUNDED = 19
# int.bit_length() of what a float of seconds can be while a process lives: 2**39/8000 s are two years.
_KEPT = 40

BOUNDS: tuple[float, ...] = tuple(2**step / STEPS_PER_SECOND for step in range(BOUNDED))


class Histogram:
    """Counts durations in seconds. `counts[i]` are those below `BOUNDS[i]` that no smaller bound holds."""

    __slots__ = ("counts", "sum")

    def __init__(self) -> None:
        self.counts = [0] * _KEPT
        self.sum = 0.0  # seconds

    def observe(self, seconds: float) -> None:
        """Counts one; about 90 ns, and nothing is kept of it but two numbers."""
        self.counts[int(seconds * STEPS_PER_SECOND).bit_length()] += 1
        self.sum += seconds

    @property
    def total(self) -> int:
        """How many were counted."""
        return sum(self.counts)

    def up_to(self) -> Iterator[tuple[float, int]]:
        """Each bound, in seconds, with how many were below it."""
        so_far = 0
        for bound, count in zip(BOUNDS, self.counts, strict=False):
            so_far += count
            yield bound, so_far

    @classmethod
    def merged(cls, histograms: Iterable[Histogram]) -> Histogram:
        """All of them in one."""
        whole = cls()
        for histogram in histograms:
            whole.counts = [mine + theirs for mine, theirs in zip(whole.counts, histogram.counts, strict=True)]
            whole.sum += histogram.sum
        return whole
