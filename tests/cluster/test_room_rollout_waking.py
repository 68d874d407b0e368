"""Room with hysteresis, the spread of a new image, and the start of spares."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from supervisor.cluster.rollout import canaries, is_outdated, rests_for_newer, wanted_image, why_not_update
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


def image_view(old: int, new: int, *, new_since: float = 0.0, draining: int = 0, room: bool = True) -> View:
    hosts = [
        member(
            f"old-{number}", boot_time=1.0, image="one", state=HostState.DRAINING if number < draining else HostState.UP
        )
        for number in range(old)
    ]
    return View(
        [*hosts, *(member(f"new-{n}", boot_time=9.0, image="two", since=new_since, room=room) for n in range(new))]
    )


def test_who_started_after_the_new_image_was_there_and_did_not_get_it_tries_again_after_a_day() -> None:
    began, day = 10_000.0, RULES.update_again_s
    first = member("first", boot_time=began, image="two", since=began)
    again = member("again", boot_time=began + RULES.skew_s + 1, image="one", since=began)
    before = member("before", boot_time=began - 1, image="one", since=began)
    view = View([first, again, before, member("second", boot_time=began + 9_999, image="two", since=began)])
    assert is_outdated(view, before, began + 1, RULES)
    assert not is_outdated(view, again, began + 1, RULES)
    assert not rests_for_newer(view, again, began + day - 1, RULES)
    assert why_not_update(view, again, began + day - 1, RULES) is not None
    assert is_outdated(view, again, began + day, RULES)


def test_one_host_that_comes_back_with_an_old_image_makes_no_host_start_twice() -> None:
    hosts = [member(f"h{number}", boot_time=100_000.0 + number, image="two") for number in range(3)]
    astray = member("astray", boot_time=100_000.0, image="one")
    assert wanted_image(View([astray, *hosts])) == "two"
    astray = member("astray", boot_time=200_000.0, image="one")
    assert is_outdated(View([astray, *hosts]), hosts[0], 1.0, RULES)
    came_back = member("h0", boot_time=200_000.0 + RULES.skew_s, image="two")
    assert not is_outdated(View([astray, came_back, *hosts[1:]]), came_back, 1.0, RULES)


def test_the_image_of_the_newest_host_that_tells_it_is_wanted() -> None:
    view = View(
        [member("a", boot_time=1.0, image="one"), member("b", boot_time=2.0, image="two"), member("c", boot_time=3.0)]
    )
    assert wanted_image(view) == "two"
    assert [is_outdated(view, each, 1.0, RULES) for each in view.alive] == [False, False, True]
    assert wanted_image(View([member("a")])) == ""
    alone = member("d", image="one")  # it does not see itself yet
    assert not is_outdated(View([member("a")]), alone, 1.0, RULES)


def test_a_canary_share_goes_first_and_the_others_follow_when_it_has_stood() -> None:
    me = member("old-99", boot_time=1.0, image="one")
    assert canaries(image_view(59, 1), RULES) == 3
    assert why_not_update(image_view(59, 1), me, 1.0, RULES) is None
    assert why_not_update(image_view(57, 3), me, 1.0, RULES) is not None
    assert why_not_update(image_view(59, 1, draining=3), me, 1.0, RULES) is not None
    assert why_not_update(image_view(57, 3), me, RULES.canary_s, RULES) is None


def test_nobody_drains_for_newer_hosts_that_have_no_room() -> None:
    me = member("old-99", boot_time=1.0, image="one")
    full = image_view(57, 3, room=False)
    assert why_not_update(full, me, RULES.canary_s, RULES) == "no host with the newer image has room"
    assert not rests_for_newer(full, me, RULES.canary_s, RULES)
    assert rests_for_newer(image_view(57, 3), me, RULES.canary_s, RULES)
    assert not rests_for_newer(image_view(57, 3), me, 1.0, RULES)


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
