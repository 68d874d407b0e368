"""The quorum-and-floor rule, alone and as a property of any view."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from supervisor.cluster.rules import Rules
from supervisor.cluster.shutdown import GRANTERS, Grants, granters, is_granted, is_rested, why_stay, why_wait
from supervisor.cluster.values import HostState, Member, MemberState
from supervisor.cluster.view import View
from tests.fakes.cluster import member

RULES = Rules()


def hosts(count: int) -> list[Member]:
    """The first is the oldest."""
    return [member(f"h{number:03}", boot_time=float(number)) for number in range(count)]


def with_changed(members: list[Member], *numbers: int, **changed: object) -> View:
    return View(replace(each, **changed) if at in numbers else each for at, each in enumerate(members))  # type: ignore[arg-type]


def test_the_oldest_may_go_and_the_newest_three_stay() -> None:
    members = hosts(6)
    answers = [why_stay(View(members), each, RULES) for each in members]
    assert [answer is None for answer in answers] == [True, True, True, False, False, False]
    assert answers[5] == "only 0 hosts are newer, and 3 have to stay"


@pytest.mark.parametrize(("changed", "why"), [
    ({"alive": MemberState.FAILED}, "only 10 of 20 hosts are seen"),
    ({"room": False}, "only 9 of the hosts that stay have room"),
])  # fmt: skip
def test_a_minority_freezes_and_headroom_stays(changed: dict[str, object], why: str) -> None:
    members = hosts(20)
    answer = why_stay(with_changed(members, *range(10, 20), **changed), members[0], RULES)
    if "room" in changed:
        assert answer is None
        answer = why_stay(with_changed(members, *range(1, 20), **changed), members[0], RULES)
        why = "only 0 of the hosts that stay have room, and 1 should"
    assert answer == why


def test_in_a_small_cluster_one_host_after_the_other_starts_again_while_all_others_stay() -> None:
    for count in (2, 3):
        members = hosts(count)
        assert why_wait(View(members), members[0], RULES) is None
        assert why_stay(View(members), members[0], RULES) is not None
        away = with_changed(members, 1, alive=MemberState.LEFT)
        assert why_wait(away, members[0], RULES) == f"only {count - 2} hosts would stay up, and {count - 1} have to"
    members = hosts(5)
    assert why_wait(with_changed(members, 2, 3, alive=MemberState.LEFT), members[0], RULES) is not None
    assert why_wait(View(members[:1]), members[0], RULES) is not None


def test_who_said_goodbye_is_not_missed() -> None:
    members = hosts(20)
    assert why_stay(with_changed(members, *range(10, 20), alive=MemberState.LEFT), members[0], RULES) is None


def test_one_at_a_time_or_two_in_a_hundred() -> None:
    few, many = hosts(10), hosts(200)
    drains = {"state": HostState.DRAINING}
    assert "1 hosts may go at a time" in (why_stay(with_changed(few, 1, **drains), few[0], RULES) or "")
    assert why_stay(with_changed(many, 1, **drains), many[0], RULES) is None
    assert why_stay(with_changed(many, 1, 2, **drains), many[0], RULES) is not None
    assert why_stay(View(many), many[0], RULES, gone={"h001", "h002"}) is not None


PAIRS = [{0, 1}, {1, 2}, {0, 2}, {0, 3}, {1, 3}, {2, 3}]  # 3: a newer host that takes the place of one of the three


@given(st.lists(st.sampled_from([*PAIRS, {0, 1, 2}, {0}]), min_size=30, max_size=80))
@example([{0, 1}] * 15 + [{2, 3}] * 15)
def test_whichever_granters_answer_no_more_than_two_in_a_hundred_go(answering: list[set[int]]) -> None:
    """Nobody sees anybody drain yet: each granter knows only what it granted itself."""
    members = hosts(500)
    view, granted = View(members), [Grants(RULES) for _ in range(GRANTERS + 1)]
    went = 0
    for me, heard in zip(members, answering, strict=False):
        yes = 0
        for granter in sorted(heard):
            if why_stay(view, me, RULES, gone=granted[granter].open(view, 0.0)) is None:
                granted[granter].note(me.id, 0.0)
                yes += 1
        went += is_granted(yes, GRANTERS)
    assert went <= 10


def test_a_host_that_drains_already_does_not_count_itself() -> None:
    members = hosts(10)
    assert why_stay(with_changed(members, 0, state=HostState.DRAINING), members[0], RULES) is None


def test_the_newer_a_host_the_longer_it_waits() -> None:
    members = hosts(10)
    waits = [
        next(idle for idle in range(1000) if is_rested(View(members), each, float(idle), 1e6, RULES))
        for each in members
    ]
    assert waits == sorted(waits)
    assert waits[0] >= RULES.idle_s
    assert waits[-1] <= RULES.idle_s + RULES.spread_s
    assert not is_rested(View(members), members[0], 1e6, RULES.age_s - 1, RULES)


def test_the_newest_three_are_asked_and_two_have_to_grant() -> None:
    members = hosts(6)
    assert [each.id for each in granters(View(members), "h005")] == ["h004", "h003", "h002"]
    assert [is_granted(yes, 3) for yes in range(4)] == [False, False, True, True]
    assert is_granted(1, 1)
    assert not is_granted(0, 0)


def test_a_grant_counts_until_its_host_has_left_or_it_is_old() -> None:
    grants, members = Grants(RULES), hosts(4)
    grants.note("h000", 100.0)
    assert grants.open(View(members), 100.0 + RULES.grant_s - 1) == {"h000"}
    assert grants.open(with_changed(members, 0, alive=MemberState.LEFT), 101.0) == frozenset()
    grants.note("h000", 100.0)
    assert grants.open(View(members), 100.0 + RULES.grant_s) == frozenset()


MEMBERS = st.lists(
    st.tuples(st.sampled_from(list(MemberState)), st.sampled_from(list(HostState)), st.booleans(), st.integers(0, 5)),
    min_size=1,
    max_size=15,
)


@given(MEMBERS)
def test_whoever_may_go_leaves_a_majority_a_floor_a_newer_host_and_room(
    described: list[tuple[MemberState, HostState, bool, int]],
) -> None:
    members = [
        member(f"h{number}", alive=alive, state=state, room=room, boot_time=float(boot_time))
        for number, (alive, state, room, boot_time) in enumerate(described)
    ]
    view = View(members)
    for me in view.up:
        if why_stay(view, me, RULES) is None:
            staying = [each for each in view.up if each is not me]
            assert len(staying) >= RULES.floor
            assert max(staying, key=lambda each: each.boot_time).boot_time >= me.boot_time
            assert any(each.room for each in staying)
            assert 2 * len(view.alive) > len(view.alive) + len(view.failed)
            assert not view.draining
