"""What a process keeps that nobody answers for."""

from __future__ import annotations

from supervisor.spec.taint import Taint


def taint(rss: int, accounted: int) -> Taint:
    return Taint(parked=1, faults=0, mappings=100, mappings_limit=65_530, rss=rss, accounted=accounted)


def test_what_no_isolate_answers_for_is_the_rest_and_never_negative() -> None:
    assert taint(500, 300).unaccounted == 200
    assert taint(300, 500).unaccounted == 0
