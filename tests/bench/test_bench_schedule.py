"""The order of turns."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from tools.benchmarks.schedule import turns


def test_subjects_alternate_within_a_case() -> None:
    order = [(turn.case, turn.round, turn.subject) for turn in turns(["x", "y"], 2, ["A", "B"])]
    assert order == [
        *[("x", 0, "A"), ("x", 0, "B"), ("x", 1, "A"), ("x", 1, "B")],
        *[("y", 0, "A"), ("y", 0, "B"), ("y", 1, "A"), ("y", 1, "B")],
    ]


@given(st.integers(1, 5), st.integers(2, 5))
def test_nobody_has_two_turns_running(rounds: int, subjects: int) -> None:
    order = [turn.subject for turn in turns(["x"], rounds, range(subjects))]
    assert all(first != second for first, second in pairwise(order))
    assert all(order.count(subject) == rounds for subject in range(subjects))
