"""What a process keeps that nobody answers for."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from supervisor.spec.settings import HostSettings
from supervisor.spec.taint import Taint, Thresholds, why_hand_over


def taint(rss: int, accounted: int) -> Taint:
    return Taint(parked=1, faults=0, mappings=100, mappings_limit=65_530, rss=rss, accounted=accounted)


def test_what_no_isolate_answers_for_is_the_rest_and_never_negative() -> None:
    assert taint(500, 300).unaccounted == 200
    assert taint(300, 500).unaccounted == 0


LIMITS = Thresholds(parked=20, mappings=0.7, memory=1000)


def tainted(**more: int) -> Taint:
    """A process just below every threshold, but for `more`."""
    figures = {"parked": 19, "faults": 0, "mappings": 699, "mappings_limit": 1000, "rss": 1999, "accounted": 1000}
    return Taint(**figures | more)


def test_below_every_threshold_the_process_goes_on() -> None:
    assert why_hand_over(tainted(), LIMITS) is None


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"parked": 20}, ("20 threads parked", "handoverParked is 20")),
        ({"parked": 1, "mappings": 700}, ("700 mappings", "1 thread parked", "handoverMappings is 0.7 of 1000")),
        ({"rss": 2000}, ("1000 bytes that no isolate accounts for", "handoverMemory is 1000 bytes")),
    ],
)
def test_each_threshold_is_a_reason_in_words(more: dict[str, int], words: tuple[str, ...]) -> None:
    why = why_hand_over(tainted(**more), LIMITS)
    assert why is not None
    assert all(each in why for each in words)


def test_a_fault_is_one_at_once_whatever_the_thresholds() -> None:
    why = why_hand_over(tainted(parked=1, faults=1), Thresholds(parked=None, mappings=None, memory=None))
    assert why is not None
    assert "memory" in why


def test_without_parked_threads_a_fresh_process_would_be_no_better() -> None:
    assert why_hand_over(tainted(parked=0, mappings=1000, rss=10**9), LIMITS) is None


@given(st.builds(Taint, *[st.integers(0, 2**50)] * 6))
def test_without_thresholds_only_faults_count(taint: Taint) -> None:
    why = why_hand_over(taint, Thresholds(parked=None, mappings=None, memory=None))
    assert (why is None) == (taint.faults == 0)


def test_the_memory_threshold_is_a_quarter_of_the_machine_unless_it_is_set() -> None:
    assert HostSettings().thresholds(8000).memory == 2000
    assert HostSettings(handover_memory=5).thresholds(8000).memory == 5
