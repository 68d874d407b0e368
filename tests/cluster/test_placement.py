"""The order in which hosts are asked to take a task."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from supervisor.cluster.placement import FullMarks, candidates
from supervisor.cluster.rules import Rules
from supervisor.cluster.values import Capacity, HostState, Member, MemberState, Needs
from supervisor.cluster.view import View
from tests.fakes.cluster import member

RULES = Rules()


def asked(*members: Member, needs: Needs | None = None, full: FullMarks | None = None, now: float = 0.0) -> list[str]:
    found = candidates(
        View(members),
        needs or Needs(1),
        full=full or FullMarks(RULES),
        now=now,
        without=(),
        rules=RULES,
        chance=random.Random(1),
    )
    return [each.id for each in found]


def test_the_newest_boot_comes_first_and_ties_go_by_id() -> None:
    hosts = [member("b", boot_time=1.0), member("c", boot_time=5.0), member("a", boot_time=1.0)]
    assert asked(*hosts) == ["c", "a", "b"]


def test_only_hosts_that_are_alive_up_and_have_room_are_asked() -> None:
    hosts = [
        member("failed", alive=MemberState.FAILED),
        member("left", alive=MemberState.LEFT),
        member("draining", state=HostState.DRAINING),
        member("starting", state=HostState.STARTING),
        member("full", room=False),
        member("good"),
    ]
    assert asked(*hosts) == ["good"]


def test_a_host_that_had_too_little_or_was_silent_is_left_out_for_three_seconds() -> None:
    for free in (Capacity(0, None, frozenset()), None):
        full = FullMarks(RULES)
        full.mark("a", 100.0, free)
        hosts = [member("a", boot_time=2.0), member("b", boot_time=1.0)]
        assert asked(*hosts, full=full, now=102.9) == ["b"]
        assert asked(*hosts, full=full, now=103.0) == ["a", "b"]


def test_a_task_that_needs_less_than_was_left_is_another_matter() -> None:
    full = FullMarks(RULES)
    full.mark("a", 100.0, Capacity(50, 2, frozenset({0})))
    assert asked(member("a"), full=full, now=101.0, needs=Needs(50, isolates=2, cores=(0,))) == ["a"]
    assert full.lately(Needs(50), 101.0) == {}
    for needs in (Needs(51), Needs(1, isolates=3), Needs(1, cores=(1,))):
        assert asked(member("a"), full=full, now=101.0, needs=needs) == []
        assert list(full.lately(needs, 101.0)) == ["a"]


def test_a_constraint_names_the_only_hosts_even_without_room_to_spare() -> None:
    hosts = [member("a", room=False), member("b"), member("c", boot_time=9.0)]
    assert asked(*hosts, needs=Needs(1, hosts=("a", "b"))) == ["a", "b"]


@given(st.integers(0, 400), st.sets(st.integers(0, 12)), st.integers(0, 1000))
def test_the_newest_four_are_asked_first_then_others_and_nobody_twice(
    count: int, full_ones: set[int], seed: int
) -> None:
    full, rules = FullMarks(RULES), RULES
    for number in full_ones:
        full.mark(f"h{number:03}", 0.0, Capacity(0, 0, frozenset()))
    hosts = [member(f"h{number:03}", boot_time=float(-number)) for number in range(count)]
    fitting = [each.id for each in hosts if int(each.id[1:]) not in full_ones]
    found = candidates(View(hosts), Needs(1), full=full, now=0.0, without=(), rules=rules, chance=random.Random(seed))
    ids = [each.id for each in found]
    assert ids[:4] == fitting[:4]
    assert len(set(ids)) == len(ids) <= rules.tries
    assert set(ids) <= set(fitting)
    assert len(ids) >= min(len(fitting), 4)
    if not full_ones:
        assert len(ids) == min(count, rules.tries)


def test_in_a_rush_the_last_tries_reach_far_back() -> None:
    hosts = [member(f"h{number:04}", boot_time=float(-number)) for number in range(1000)]
    furthest = [
        candidates(
            View(hosts), Needs(1), full=FullMarks(RULES), now=0.0, without=(), rules=RULES, chance=random.Random(n)
        )[-1]
        for n in range(50)
    ]
    assert len({each.id for each in furthest}) > 40
    assert all(each.id > "h0030" for each in furthest)
