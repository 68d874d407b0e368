"""The book of reservations: nothing is promised twice, and what was promised in vain comes back."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from supervisor.cluster.admission import Admission
from supervisor.cluster.rules import Rules
from supervisor.cluster.values import Admitted, Capacity, Full, Needs, Refused

RULES = Rules()


def book(memory: int | None = 10, isolates: int | None = 4, cores: int = 2) -> Admission:
    return Admission("here", Capacity(memory, isolates, frozenset(range(cores))), RULES)


def test_what_fits_is_reserved_and_what_does_not_is_told_what_is_left() -> None:
    admission = book()
    assert admission.reserve("a", 1, Needs(7), 0.0) == Admitted()
    assert admission.reserve("b", 1, Needs(4), 0.0) == Full(Capacity(3, 3, frozenset({0, 1})))
    assert admission.reserve("c", 1, Needs(3, isolates=4), 0.0) == Full(Capacity(3, 3, frozenset({0, 1})))


def test_the_same_label_and_epoch_reserve_once() -> None:
    admission = book()
    for _ in range(3):
        assert admission.reserve("a", 1, Needs(7), 0.0) == Admitted()
    assert admission.free.memory == 3


def test_a_reservation_expires_after_ten_seconds_and_repeating_it_renews_it() -> None:
    admission = book()
    admission.reserve("a", 1, Needs(7), 0.0)
    admission.reserve("a", 1, Needs(7), 9.0)
    assert admission.reserve("b", 1, Needs(7), 18.9) == Full(Capacity(3, 3, frozenset({0, 1})))
    assert admission.reserve("b", 1, Needs(7), 19.0) == Admitted()
    assert not admission.confirm("a", 1, 19.0)


def test_what_was_confirmed_does_not_expire() -> None:
    admission = book()
    admission.reserve("a", 1, Needs(7), 0.0)
    assert admission.confirm("a", 1, 9.9)
    assert isinstance(admission.reserve("b", 1, Needs(7), 1000.0), Full)
    admission.release("a")
    assert admission.reserve("b", 1, Needs(7), 1000.0) == Admitted()


def test_a_newer_epoch_takes_the_place_of_the_older_one_and_not_the_other_way() -> None:
    admission = book()
    admission.reserve("a", 1, Needs(7), 0.0)
    assert admission.reserve("a", 2, Needs(9), 0.0) == Admitted()
    assert isinstance(admission.reserve("a", 1, Needs(1), 0.0), Refused)
    assert not admission.confirm("a", 1, 0.0)
    assert isinstance(admission.reserve("a", 3, Needs(11), 0.0), Full)
    assert admission.confirm("a", 2, 0.0)


def test_a_core_is_given_once_and_an_unknown_one_never() -> None:
    admission = book()
    assert admission.reserve("a", 1, Needs(1, cores=(0,)), 0.0) == Admitted()
    assert isinstance(admission.reserve("b", 1, Needs(1, cores=(0, 1)), 0.0), Full)
    assert isinstance(admission.reserve("c", 1, Needs(1, cores=(7,)), 0.0), Full)
    assert admission.reserve("d", 1, Needs(1, cores=(1,)), 0.0) == Admitted()


def test_a_task_that_may_not_run_here_is_refused_by_name() -> None:
    answer = book().reserve("a", 1, Needs(1, hosts=("there",)), 0.0)
    assert answer == Refused("task a may only run on there, not on here")


def test_no_limit_is_no_limit() -> None:
    admission = book(memory=None, isolates=None)
    assert admission.reserve("a", 1, Needs(10**15, isolates=10**6), 0.0) == Admitted()
    assert admission.share_left == 1.0


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(1, 3), st.integers(0, 12), st.integers(0, 3))))
def test_the_book_never_overcommits_and_always_balances(
    steps: list[tuple[str, int, int, int]],
) -> None:
    admission, now = book(isolates=None), 0.0
    for label, epoch, memory, action in steps:
        now += 4.0
        match action:
            case 0 | 1:
                admission.reserve(label, epoch, Needs(memory), now)
            case 2:
                admission.confirm(label, epoch, now)
            case _:
                admission.release(label)
        assert admission.free.memory is not None
        assert 0 <= admission.free.memory <= 10
    for label in "abc":
        admission.release(label)
    assert admission.free == Capacity(10, None, frozenset({0, 1}))
