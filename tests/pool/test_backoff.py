"""How long a task that keeps failing has to wait."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from supervisor.pool.backoff import FIRST_DELAY_S, HEALTHY_AFTER_S, LONGEST_DELAY_S, Backoff, delay_s


def test_the_first_failure_costs_nothing_and_each_further_one_doubles() -> None:
    assert [delay_s(failures) for failures in range(6)] == [0, 0, 0.5, 1, 2, 4]


@given(st.integers(0, 10**9))
def test_delays_never_shrink_nor_pass_the_longest(failures: int) -> None:
    assert 0 <= delay_s(failures) <= delay_s(failures + 1) <= LONGEST_DELAY_S


def test_failures_in_a_row_count_from_each_failure_on() -> None:
    backoff = Backoff()
    assert backoff.wait_s(100) == 0
    backoff = backoff.after_failure(now=100, lived_s=1)
    assert backoff.wait_s(100) == 0
    backoff = backoff.after_failure(now=101, lived_s=1)
    assert backoff.wait_s(101) == FIRST_DELAY_S
    assert backoff.wait_s(101.25) == pytest.approx(FIRST_DELAY_S - 0.25)
    assert backoff.wait_s(102) == 0


def test_a_task_that_lived_long_enough_is_well_again() -> None:
    sick = Backoff(failures=9, until=0)
    assert sick.after_failure(now=0, lived_s=HEALTHY_AFTER_S).failures == 1
    assert sick.after_failure(now=0, lived_s=HEALTHY_AFTER_S - 0.001).failures == 10


@given(st.lists(st.tuples(st.floats(0, 1e6), st.floats(0, 1e6))))
def test_nobody_waits_longer_than_the_longest_delay(failures: list[tuple[float, float]]) -> None:
    backoff, now = Backoff(), 0.0
    for gap_s, lived_s in failures:
        now += gap_s
        backoff = backoff.after_failure(now=now, lived_s=lived_s)
        assert 0 <= backoff.wait_s(now) <= LONGEST_DELAY_S + 1e-6
