"""How long an owner may go on: until most guardians' promises are over, by the moment at which it asked."""

from __future__ import annotations

from supervisor.cluster.leases import Leases
from supervisor.cluster.rules import Rules

RULES = Rules(lease_s=20.0, lease_margin_s=2.0)
SETS = (("a", "b", "c"), ())


def test_most_guardians_are_enough_and_fewer_are_not() -> None:
    leases = Leases(RULES)
    leases.renewed("task", "a", 100.0)
    assert not leases.is_held("task", SETS, 100.0)
    leases.renewed("task", "c", 100.0)
    assert leases.is_held("task", SETS, 100.0)


def test_it_ends_a_margin_before_the_guardians_believe() -> None:
    leases = Leases(RULES)
    leases.renewed("task", "a", 100.0)
    leases.renewed("task", "b", 105.0)
    assert leases.is_held("task", SETS, 117.9)
    assert not leases.is_held("task", SETS, 118.0)  # guardians: 120 at the earliest


def test_while_guardians_change_it_takes_most_of_both() -> None:
    leases = Leases(RULES)
    for guardian in ("a", "b"):
        leases.renewed("task", guardian, 100.0)
    assert not leases.is_held("task", (("a", "d", "e"), ("a", "b", "c")), 101.0)
    leases.renewed("task", "d", 100.0)
    assert leases.is_held("task", (("a", "d", "e"), ("a", "b", "c")), 101.0)


def test_what_ended_has_to_be_asked_for_anew() -> None:
    leases = Leases(RULES)
    leases.renewed("task", "a", 100.0)
    leases.renewed("task", "b", 100.0)
    leases.ended("task")
    assert not leases.is_held("task", SETS, 101.0)


def test_a_guardian_that_knows_a_newer_epoch_is_not_counted_any_more() -> None:
    leases = Leases(RULES)
    leases.renewed("task", "a", 100.0)
    leases.renewed("task", "b", 100.0)
    leases.refused("task", "b")
    leases.refused("other", "b")
    assert not leases.is_held("task", SETS, 101.0)


def test_a_host_alone_needs_nobody() -> None:
    assert Leases(RULES).is_held("task", ((), ()), 0.0)
