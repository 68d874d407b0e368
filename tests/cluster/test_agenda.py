"""What is to be done from when on: as a plain table would say it, but without looking at all of it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from supervisor.cluster.agenda import Agenda

KEYS = st.sampled_from("abcdef")
STEPS = st.lists(
    st.tuples(st.sampled_from(["add", "drop", "take"]), KEYS, st.integers(0, 20), st.none() | st.integers(1, 3))
)


def test_of_two_moments_the_earlier_counts_and_what_was_dropped_is_not_done() -> None:
    agenda = Agenda()
    for key, at in (("a", 5.0), ("b", 4.0), ("a", 3.0), ("a", 6.0), ("c", 1.0)):
        agenda.add(key, at)
    agenda.drop("c")
    assert not agenda.is_due(2.9)
    assert agenda.take(3.0) == ["a"]
    assert ("a" in agenda, "b" in agenda, len(agenda)) == (False, True, 1)
    assert agenda.take(10.0) == ["b"]
    agenda.add("c", 2.0)
    assert agenda.take(1.9) == []
    assert agenda.take(2.0) == ["c"]


@given(STEPS)
def test_it_is_a_table_in_the_order_of_its_moments(steps: list[tuple[str, str, int, int | None]]) -> None:
    agenda, table = Agenda(), dict[str, int]()
    for what, key, at, most in steps:
        if what == "add":
            agenda.add(key, at)
            table[key] = min(at, table.get(key, at))
        elif what == "drop":
            agenda.drop(key)
            table.pop(key, None)
        else:
            due = sorted((moment, each) for each, moment in table.items() if moment <= at)
            assert agenda.is_due(at) is bool(due)
            assert agenda.take(at, most) == [each for _, each in due[:most]]
            table = {each: moment for each, moment in table.items() if (moment, each) not in due[:most]}
        assert len(agenda) == len(table)
        assert {each for each in "abcdef" if each in agenda} == set(table)
