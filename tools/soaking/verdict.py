"""Flat or not. Pure.

Two series are judged: what fresh processes hold after each hand-over, at rest; and what each process holds while it
works. A hand-over gives back what a process has lost, so the first one tells what is passed on from process to process
(files, tasks, the store), the second one what a process loses by itself.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from itertools import combinations
from statistics import median

from tools.soaking.figures import Figures

# What may come on top from the first to the last: a share, and an amount below which a rise says nothing.
# Measured: processes that do the same differ by some MiB (allocators, the collector's moment) and a few mappings; a
# task more that happens to be awake is an isolate, a thread, a file and five mappings.
ALLOWED: Mapping[str, tuple[float, float]] = {
    "rss_mib": (0.05, 10.0),
    "processes": (0.0, 0.5),
    "threads": (0.0, 3.0),
    "files": (0.0, 5.0),
    "mappings": (0.05, 40.0),
    "isolates": (0.0, 2.0),
}
FEWEST = 4  # of the fresh processes
# While it works, hostile tasks come and go, and what they hold comes and goes with them.
WORKING: Mapping[str, tuple[float, float]] = {
    "rss_mib": (0.10, 25.0),
    "threads": (0.0, 6.0),
    "files": (0.0, 12.0),
    "mappings": (0.15, 100.0),
}
FEWEST_WORKING = 12  # lines of one process
WARM_S = 45.0  # until heaps have found their size
HOUR_S = 3600


def growths(samples: Sequence[Figures]) -> list[str]:
    """What grew from one fresh process to the next, in words.

    ValueError: too few of them.
    """
    begins = [each for each in samples if each.moment == "begin"]
    if len(begins) < FEWEST:
        raise ValueError(f"{len(begins)} fresh processes: {FEWEST} at least tell whether something grows")
    return _grown(begins, ALLOWED, "from one process to the next")


def growths_within(samples: Sequence[Figures]) -> list[str]:
    """What grew in a process while it worked, in words. A process that lived too briefly tells nothing.

    A parked thread keeps what it had: only times in which no further one came are judged.
    """
    stretches: defaultdict[tuple[int, int], list[Figures]] = defaultdict(list)
    born: dict[int, float] = {}
    for each in samples:
        born.setdefault(each.handovers, each.seconds)
        if each.moment is None and each.seconds - born[each.handovers] >= WARM_S:
            stretches[each.handovers, each.parked].append(each)
    found = []
    for (number, parked), stretch in stretches.items():
        if len(stretch) >= FEWEST_WORKING:
            found += _grown(stretch, WORKING, f"in process {number} with {parked} parked threads")
    return found


def rise(samples: Sequence[tuple[float, float]]) -> float:
    """How much a value rose from the first to the last of (time, value).

    By the median of the slopes between any two: neither noise nor one wild value makes a rise or hides one.
    """
    slopes = [(later[1] - early[1]) / (later[0] - early[0]) for early, later in combinations(samples, 2)]
    return median(slopes) * (samples[-1][0] - samples[0][0])


def _grown(samples: Sequence[Figures], allowed: Mapping[str, tuple[float, float]], where: str) -> list[str]:
    found = []
    hours = (samples[-1].seconds - samples[0].seconds) / HOUR_S
    for name, (share, amount) in allowed.items():
        values = [float(getattr(each, name)) for each in samples]
        rose = rise([(each.seconds, value) for each, value in zip(samples, values, strict=True)])
        if rose > median(values) * share + amount:
            row = ", ".join(f"{value:g}" for value in values)
            found.append(f"{name} grew {where} by {rose:.1f}, {rose / hours:.0f} an hour: {row}")
    return found
