"""When a guardian places a task anew."""

from __future__ import annotations

import pytest

from supervisor.cluster.promises import Entry
from supervisor.cluster.restart import is_due
from supervisor.cluster.rules import Rules
from supervisor.cluster.values import Member, MemberState
from supervisor.cluster.view import View
from tests.fakes.cluster import member, record

RULES = Rules()
TASK = record(owner="owner", guardians=("a", "b", "c"))


def view(owner: Member | None, *dead: str) -> View:
    hosts = [member(host, alive=MemberState.FAILED if host in dead else MemberState.ALIVE) for host in "abc"]
    return View(hosts if owner is None else [*hosts, owner])


FAILED = member("owner", alive=MemberState.FAILED, since=100.0)


@pytest.mark.parametrize(("me", "dead", "after_s"), [
    ("a", (), RULES.grace_s),
    ("b", (), RULES.grace_s + RULES.stagger_s),
    ("b", ("a",), RULES.grace_s),
    ("c", ("a", "b"), RULES.grace_s),
])  # fmt: skip
def test_the_first_guardian_alive_acts_after_the_grace_and_the_next_ones_later(
    me: str, dead: tuple[str, ...], after_s: float
) -> None:
    seen = view(FAILED, *dead)
    assert not is_due(Entry("task", TASK), seen, me, 100.0 + after_s - 0.1, RULES, lost_since=None)
    assert is_due(Entry("task", TASK), seen, me, 100.0 + after_s, RULES, lost_since=None)


def test_nothing_is_due_while_the_owner_is_alive() -> None:
    assert not is_due(Entry("task", TASK), view(member("owner")), "a", 1e9, RULES, lost_since=None)


def test_what_an_owner_left_behind_or_nobody_knows_the_owner_of_is_due_soon() -> None:
    left = member("owner", alive=MemberState.LEFT, since=100.0)
    assert not is_due(Entry("task", TASK), view(left), "a", 100.0 + RULES.left_s - 1, RULES, lost_since=None)
    assert is_due(Entry("task", TASK), view(left), "a", 100.0 + RULES.left_s, RULES, lost_since=None)
    assert is_due(Entry("task", TASK), view(None), "a", 0.0, RULES, lost_since=None)


def test_what_its_owner_lost_is_due_without_a_grace() -> None:
    assert is_due(Entry("task", TASK), view(member("owner")), "a", 100.0, RULES, lost_since=100.0)


@pytest.mark.parametrize("claimant", ["a", "b", "x"])
def test_what_came_up_nowhere_is_left_to_who_placed_it_for_a_while(claimant: str) -> None:
    nobodys = Entry("task", record(owner="", revision=2, guardians=("a", "b", "c")), 1, claimant, 100.0)
    seen = View([*view(None).members.values(), member("x")])
    assert not is_due(nobodys, seen, "a", 100.0 + RULES.takeover_s - 0.1, RULES, lost_since=None)
    assert is_due(nobodys, seen, "a", 100.0 + RULES.takeover_s, RULES, lost_since=None)
    assert is_due(nobodys, view(None), "a", 100.0, RULES, lost_since=None) is (claimant == "x")


def test_who_guards_nothing_does_nothing_and_tombstones_rest() -> None:
    assert not is_due(Entry("task", TASK), view(FAILED), "other", 1e9, RULES, lost_since=None)
    gone = record(owner="owner", guardians=("a",), removed=True)
    assert not is_due(Entry("task", gone), view(FAILED), "a", 1e9, RULES, lost_since=None)


def test_another_ones_claim_is_left_some_time_if_that_one_is_alive() -> None:
    taken = Entry("task", TASK, promised=2, claimant="b", promised_at=200.0)
    assert not is_due(taken, view(FAILED), "a", 200.0 + RULES.takeover_s - 1, RULES, lost_since=None)
    assert is_due(taken, view(FAILED), "a", 200.0 + RULES.takeover_s, RULES, lost_since=None)
    assert is_due(taken, view(FAILED, "b"), "a", 201.0, RULES, lost_since=None)
