"""The statistics of a list of numbers: pure, no units."""

from __future__ import annotations

import math
from collections.abc import Sequence


def percentile(values: Sequence[float], percent: float) -> float:
    """Returns the smallest value that at least `percent` % of the values do not exceed: nearest rank.

    A rank, because an interpolated p99 of 200 samples is a time that nobody measured. Raises ValueError without values
    or with a percent outside 0..100.
    """
    if not values:
        raise ValueError("a percentile needs at least one value")
    if not 0 <= percent <= 100:
        raise ValueError(f"percent is {percent}: it must be between 0 and 100")
    rank = math.ceil(len(values) * percent / 100)
    return sorted(values)[max(rank, 1) - 1]


def median(values: Sequence[float]) -> float:
    """Returns the middle value, or the mean of the two in the middle. Raises ValueError without values."""
    if not values:
        raise ValueError("a median needs at least one value")
    ordered = sorted(values)
    middle = len(ordered) // 2
    if len(ordered) % 2:
        return ordered[middle]
    return (ordered[middle - 1] + ordered[middle]) / 2


def ratio(value: float, base: float | None) -> float | None:
    """Returns value / base, or None where there is no base to compare with."""
    return value / base if base else None
