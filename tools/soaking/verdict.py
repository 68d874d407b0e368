"""Flat or not: figures taken at the same point after each hand-over are compared. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import median

from tools.soaking.figures import Figures

# What the later half may have more than the earlier one: a share, and an amount below which a difference says nothing.
# Measured: processes that do the same differ by some MiB (allocators, the collector's moment) and a few mappings.
ALLOWED: Mapping[str, tuple[float, float]] = {
    "rss_mib": (0.05, 10.0),
    "processes": (0.0, 0.0),
    "threads": (0.0, 3.0),
    "files": (0.0, 5.0),
    "mappings": (0.05, 60.0),
    "isolates": (0.0, 2.0),
}
FEWEST = 4  # two in each half


def growths(samples: Sequence[Figures]) -> list[str]:
    """What grew, in words.

    ValueError: too few of them.
    """
    if len(samples) < FEWEST:
        raise ValueError(f"{len(samples)} samples: {FEWEST} at least tell whether something grows")
    half = len(samples) // 2
    found = []
    for name, (share, amount) in ALLOWED.items():
        values = [float(getattr(sample, name)) for sample in samples]
        before, after = median(values[:half]), median(values[-half:])
        if after > before * (1 + share) + amount:
            found.append(f"{name} grew from {before:g} to {after:g}: {', '.join(f'{value:g}' for value in values)}")
    return found
