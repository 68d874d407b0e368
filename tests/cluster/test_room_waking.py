"""Room with hysteresis, and the start of spares."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from supervisor.cluster.room import has_room
from supervisor.cluster.rules import Rules
from supervisor.cluster.values import HostState, MemberState
from supervisor.cluster.view import View
from supervisor.cluster.waking import Spares
from tests.fakes.cluster import member

RULES = Rules()


def test_room_is_lost_below_a_twentieth_and_back_above_three() -> None:
    assert has_room(True, 0.05, RULES)
    assert not has_room(True, 0.049, RULES)
    assert not has_room(False, 0.15, RULES)
    assert has_room(False, 0.151, RULES)


@given(st.lists(st.floats(0.06, 0.14)))
def test_between_the_two_what_was_said_stays(shares: list[float]) -> None:
    for said in (True, False):
        assert all(has_room(said, share, RULES) is said for share in shares)


def full_view(*alive: str) -> View:
    return View([member("a", room=False, boot_time=1.0), member("b", room=False, boot_time=2.0), *map(member, alive)])


def test_the_newest_starts_one_spare_when_no_host_has_had_room_for_a_while() -> None:
    spares, bystander = Spares(["s1", "s2"], RULES), Spares(["s1", "s2"], RULES)
    started = [spares.choose(full_view(), "b", float(now)) for now in range(0, 100, 5)]
    assert started == [None, None, "s1"] + [None] * 17
    assert not any(bystander.choose(full_view(), "a", float(now)) for now in range(0, 100, 5))


def test_room_that_comes_back_starts_the_wait_anew() -> None:
    spares = Spares(["s1"], RULES)
    assert spares.choose(full_view(), "b", 0.0) is None
    assert spares.choose(View([member("b")]), "b", 8.0) is None
    assert spares.choose(full_view(), "b", 12.0) is None
    assert spares.choose(full_view(), "b", 23.0) == "s1"


def test_a_spare_that_does_not_come_gives_its_turn_to_the_next_and_is_tried_less_and_less() -> None:
    spares, started = Spares(["s1", "s2"], RULES), []
    for now in range(0, 40_000, 5):
        spare = spares.choose(full_view(), "b", float(now))
        if spare is not None:
            started.append((now, spare))
    assert [spare for _, spare in started[:4]] == ["s1", "s2", "s1", "s2"]
    times = [now for now, spare in started if spare == "s1"]
    waits = [after - before for before, after in pairwise(times)]
    assert waits == sorted(waits)
    assert waits[0] >= 2 * RULES.wake_s
    assert waits[-1] >= RULES.wake_most_s


def test_a_spare_that_cannot_be_told_to_start_keeps_no_other_waiting_and_is_tried_less_and_less() -> None:
    spares, started = Spares(["s1", "s2"], RULES), []
    for now in range(0, 8000, 5):
        spare = spares.choose(full_view(), "b", float(now))
        if spare is not None:
            started.append((now, spare))
            if spare == "s1":
                spares.failed(spare)
    assert [spare for _, spare in started[:2]] == ["s1", "s2"]
    assert started[1][0] - started[0][0] == 5
    times = [now for now, spare in started if spare == "s1"]
    assert times[1] - times[0] >= 2 * RULES.wake_s
    assert times[2] - times[1] >= 4 * RULES.wake_s


def test_a_spare_that_joined_is_not_started_and_counts_from_nothing_when_it_has_gone() -> None:
    spares = Spares(["s1"], RULES)
    spares.choose(full_view(), "b", 0.0)
    assert spares.choose(full_view(), "b", 10.0) == "s1"
    starting = View([*full_view().members.values(), member("s1", state=HostState.STARTING)])
    assert spares.choose(starting, "b", 100.0) is None
    assert spares.choose(View([*full_view().members.values(), member("s1", room=False)]), "b", 1000.0) is None
    assert spares.choose(View([*full_view().members.values(), member("s1", room=False)]), "b", 1009.0) is None
    gone = View([*full_view().members.values(), member("s1", alive=MemberState.LEFT)])
    assert spares.choose(gone, "b", 1011.0) == "s1"
