"""When a process with parked threads hands over to a fresh one by itself, and how often processes do."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from supervisor.host.renewal import FIRST_GAP_S, LONGEST_GAP_S, Renewals, explained, why_renew
from supervisor.spec.taint import Taint, Thresholds

LIMITS = Thresholds(parked=20, mappings=0.7, memory=1000)
NEVER = Renewals()


def figures(**more: int) -> Taint:
    """A process far below every threshold, but for `more`."""
    return Taint(**{"parked": 0, "faults": 0, "mappings": 10, "mappings_limit": 1000, "rss": 10, "accounted": 0} | more)


@pytest.mark.parametrize(
    ("now", "clean", "word"),
    [
        # what parked threads took, and what living isolates need by themselves
        (figures(parked=1, mappings=700), figures(mappings=650), "mappings"),
        (figures(parked=1, mappings=800), figures(mappings=700), None),
        (figures(parked=19, mappings=990), figures(mappings=990), None),
        (figures(parked=1, rss=1000), figures(rss=900), "accounts for"),
        (figures(parked=1, rss=3000), figures(rss=1000), None),
        # one is no excuse for the other
        (figures(parked=1, mappings=800, rss=1000), figures(mappings=800), "accounts for"),
        (figures(parked=1, mappings=800, rss=3000), figures(rss=3000), "mappings"),
        # a count and a fault are parked threads by themselves
        (figures(parked=20, mappings=800), figures(mappings=800, rss=3000), "handoverParked"),
        (figures(parked=1, faults=1), figures(mappings=800, rss=3000), "wrong access"),
        # never seen without parked threads
        (figures(parked=1, mappings=800), None, "mappings"),
        # nothing is parked: a fresh process would be no better
        (figures(mappings=1000, rss=10**9), figures(), None),
    ],
)
def test_only_what_parked_threads_explain_is_a_reason(now: Taint, clean: Taint | None, word: str | None) -> None:
    why = why_renew(now, clean, LIMITS, NEVER, 0.0)
    assert (why is None) if word is None else (why is not None and word in why)


@pytest.mark.parametrize(
    ("tries", "passed", "wait_s"),
    [(0, 0, 0), (1, 0, 60), (1, 59, 1), (1, 60, 0), (2, 60, 60), (3, 0, 240), (7, 0, 3600), (999, 0, 3600)],
)
def test_the_gap_doubles_up_to_an_hour(tries: int, passed: float, wait_s: float) -> None:
    assert Renewals(tries, 100.0).wait_s(100.0 + passed) == wait_s
    why = why_renew(figures(parked=20), None, LIMITS, Renewals(tries, 100.0), 100.0 + passed)
    assert (why is None) == (wait_s > 0)


def test_after_a_fault_the_gap_is_never_more_than_the_first() -> None:
    fault, row = figures(parked=1, faults=1), Renewals(9, 0.0)
    assert why_renew(fault, None, LIMITS, row, FIRST_GAP_S - 1) is None
    assert why_renew(fault, None, LIMITS, row, FIRST_GAP_S) is not None


def test_a_process_that_is_always_above_is_replaced_less_and_less_often() -> None:
    row, now, at = NEVER, 0.0, []
    while now < 8 * 3600:
        if why_renew(figures(parked=20), None, LIMITS, row, now) is not None:
            at.append(now)
            row = row.after_try(now)
        now += 5
    gaps = [later - earlier for earlier, later in pairwise(at)]
    assert gaps[:6] == [60, 120, 240, 480, 960, 1920]
    assert set(gaps[6:]) == {3600}


def test_after_a_long_calm_the_row_begins_anew() -> None:
    row = Renewals(8, 0.0)
    assert row.after_try(LONGEST_GAP_S).tries == 9
    assert row.after_try(2 * LONGEST_GAP_S + 1).tries == 1


@given(st.integers(0, 50), st.floats(0, 1e6), st.floats(0, 1e5), st.floats(0, 1e6))
def test_another_process_goes_on_where_this_one_was(tries: int, last: float, ago: float, theirs: float) -> None:
    row = Renewals(tries, last)
    loaded = Renewals.load(row.saved(last + ago), theirs)
    assert loaded.wait_s(theirs) == pytest.approx(row.wait_s(last + ago), abs=1e-3)


def test_a_predecessor_that_knows_nothing_of_it() -> None:
    assert Renewals.load({}, 7.0).wait_s(7.0) == 0


@given(st.builds(Taint, *[st.integers(0, 2**50)] * 6))
def test_thresholds_that_count_are_those_that_were_given(clean: Taint) -> None:
    left = explained(LIMITS, clean)
    assert left.parked == LIMITS.parked
    assert left.mappings in (None, LIMITS.mappings)
    assert left.memory in (None, LIMITS.memory)
