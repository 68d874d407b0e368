"""Percentiles, medians and ratios."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.benchmarks.figures import median, percentile, ratio

NUMBERS = st.lists(st.floats(allow_nan=False, allow_infinity=False, width=32), min_size=1, max_size=50)


def test_percentile_is_a_value_that_was_measured() -> None:
    assert percentile([3.0, 1.0, 2.0], 50) == 2.0
    assert percentile([float(n) for n in range(1, 201)], 99) == 198.0
    assert percentile([float(n) for n in range(1, 201)], 100) == 200.0
    assert percentile([5.0, 7.0], 0) == 5.0


@given(NUMBERS, st.floats(0, 100))
def test_at_least_the_share_asked_for_is_not_above_the_percentile(values: list[float], percent: float) -> None:
    found = percentile(values, percent)
    assert found in values
    assert sum(value <= found for value in values) * 100 >= percent * len(values) - 1e-6
    if any(value < found for value in values):
        assert sum(value < found for value in values) * 100 < percent * len(values) + 1e-6


@given(NUMBERS)
def test_half_of_the_values_lie_on_each_side_of_the_median(values: list[float]) -> None:
    middle = median(values)
    assert sum(value <= middle for value in values) * 2 >= len(values)
    assert sum(value >= middle for value in values) * 2 >= len(values)


def test_median_of_an_even_number_is_the_mean_of_the_middle() -> None:
    assert median([4.0, 1.0, 3.0, 2.0]) == 2.5


@pytest.mark.parametrize("percent", [-1, 101])
def test_percent_out_of_range_is_named(percent: float) -> None:
    with pytest.raises(ValueError, match=f"percent is {percent}"):
        percentile([1.0], percent)


def test_nothing_has_no_percentile_and_no_median() -> None:
    with pytest.raises(ValueError, match="at least one value"):
        percentile([], 50)
    with pytest.raises(ValueError, match="at least one value"):
        median([])


def test_ratio_needs_a_base() -> None:
    assert ratio(3.0, 2.0) == 1.5
    assert ratio(3.0, None) is None
    assert ratio(3.0, 0.0) is None
