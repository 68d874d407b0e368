"""The token bucket: never more than its rate and burst, never nobody."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from supervisor.ingress.bucket import BURST_MIN, TURN_MAX, TURN_MIN, Bucket

RATES = st.integers(8_000, 10**12)
PAUSES = st.floats(0, 100, allow_nan=False)
SMALL_ERROR = 1 + 1e-6


@given(RATES, st.lists(st.tuples(PAUSES, st.integers(1, 10**12))))
def test_what_is_granted_never_exceeds_the_rate_and_the_burst(rate: int, wants: list[tuple[float, int]]) -> None:
    now, granted = 1000.0, 0
    bucket = Bucket(rate, now)
    for pause, want in wants:
        now += pause
        take = min(want, int(bucket.level(now)))
        bucket.take(take, now)
        granted += take
        assert granted <= (rate / 8 * (now - 1000.0) + bucket.burst) * SMALL_ERROR
        assert bucket.level(now) <= bucket.burst


@given(RATES, st.integers(0, 10**9), PAUSES)
def test_who_waits_as_long_as_told_gets_a_turn(rate: int, taken: int, pause: float) -> None:
    bucket = Bucket(rate, 0.0)
    bucket.take(taken, 0.0)
    now = pause + bucket.wait_s(bucket.turn, pause)
    assert bucket.level(now) * SMALL_ERROR + 1e-3 >= bucket.turn
    assert now <= pause + (taken + bucket.turn) / (rate / 8) * SMALL_ERROR, "no longer than what was taken lasts"


@given(RATES, st.floats(1, 1e4))
def test_the_rate_is_reached_by_turns_that_come_late(rate: int, seconds: float) -> None:
    bucket = Bucket(rate, 0.0)
    bucket.take(int(bucket.burst), 0.0)
    assert bucket.level(seconds) == min(bucket.burst, bucket.level(seconds)), "and what was not taken is not kept"
    assert bucket.level(seconds) >= min(bucket.burst, rate / 8 * seconds) / SMALL_ERROR - 1


@given(RATES, RATES, PAUSES)
def test_a_change_holds_from_then_on(before: int, after: int, pause: float) -> None:
    bucket = Bucket(before, 0.0)
    bucket.take(int(bucket.burst), 0.0)
    bucket.change(after, pause)
    level = bucket.level(pause)
    assert level <= bucket.burst
    later = pause + 0.05
    assert bucket.level(later) <= (level + after / 8 * 0.05) * SMALL_ERROR + 1


@given(RATES)
def test_a_turn_fits_into_the_burst(rate: int) -> None:
    bucket = Bucket(rate, 0.0)
    assert TURN_MIN <= bucket.turn <= TURN_MAX
    assert bucket.burst >= BURST_MIN
    assert bucket.turn <= bucket.burst


def test_a_clock_that_stands_or_goes_back_gives_nothing() -> None:
    bucket = Bucket(8_000_000, 10.0)
    bucket.take(100_000, 10.0)
    assert bucket.level(10.0) == bucket.level(9.0) == 0
    assert bucket.wait_s(1_000, 10.0) == 0.001
