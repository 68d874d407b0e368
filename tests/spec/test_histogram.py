"""Durations in steps: every one is counted once, in the step that its length says."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from supervisor.spec.histogram import BOUNDS, Histogram

SECONDS = st.floats(min_value=0, max_value=1e7, allow_nan=False)


@given(SECONDS)
def test_a_duration_is_in_the_step_below_its_bound(seconds: float) -> None:
    histogram = Histogram()
    histogram.observe(seconds)
    assert [bound for bound, count in histogram.up_to() if count] == [bound for bound in BOUNDS if seconds < bound]
    assert (histogram.total, histogram.sum) == (1, seconds)


@given(st.lists(st.lists(SECONDS, max_size=5), max_size=5))
def test_merged_is_as_if_one_had_counted_all(parts: list[list[float]]) -> None:
    histograms, whole = [], Histogram()
    for part in parts:
        histograms.append(Histogram())
        for seconds in part:
            histograms[-1].observe(seconds)
            whole.observe(seconds)
    merged = Histogram.merged(histograms)
    assert merged.counts == whole.counts
    assert math.isclose(merged.sum, whole.sum, abs_tol=1e-9)


def test_bounds_double_from_an_eighth_of_a_millisecond() -> None:
    assert BOUNDS[:4] == (0.000125, 0.00025, 0.0005, 0.001)
    assert BOUNDS[-1] == 32.768


def test_a_clock_that_went_back_is_no_error() -> None:
    histogram = Histogram()
    histogram.observe(-0.01)
    assert histogram.total == 1
