"""Which limits a host cannot hold, and what a task that asks for them is told."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from supervisor.spec.enforcement import LIMITS, QUOTA, Enforcement, completed, in_words, unenforced
from supervisor.spec.task import TaskSpec

NOTHING = completed(())
ALL = completed(Enforcement(limit, "the kernel") for limit in LIMITS)
ASKED: dict[str, dict[str, Any]] = {
    "limits.cpu.quota": {"limits": {"cpu": {"quota": 0.2}}},
    "cpu": {"cpu": 0},
    "limits.net.egress": {"limits": {"net": {"egress": "8mbit"}}},
    "limits.net.ingress": {"limits": {"net": {"ingress": "8mbit"}}},
    "limits.net.connections": {"limits": {"net": {"connections": 7}}},
}


def spec(settings: dict[str, Any], *, connections: int | None = None) -> TaskSpec:
    """A task that asks for nothing but what `settings` say."""
    limits = settings.get("limits", {})
    net = {"connections": connections, **limits.get("net", {})}
    fields = {"taskId": "a", "mainPath": "a.js", "pwd": "/apps", **settings, "limits": {**limits, "net": net}}
    return TaskSpec.model_validate(fields, by_alias=True, by_name=False)


def test_every_limit_has_its_task_here() -> None:
    assert set(ASKED) == set(LIMITS)


@pytest.mark.parametrize("limit", LIMITS)
def test_a_limit_that_is_not_held_is_named_with_its_value_and_remedies(limit: str) -> None:
    (problem,) = unenforced(spec(ASKED[limit]), [Enforcement(limit, None, "no cgroups", "mount them")])
    assert problem.field == limit
    assert problem.value
    assert "no cgroups" in problem.message
    for part in ("mount them", "leave the limit out", '`unenforced` to "warn"'):
        assert part in problem.remedy


@pytest.mark.parametrize("limit", LIMITS)
def test_only_what_is_asked_for_matters(limit: str) -> None:
    assert [each.field for each in unenforced(spec(ASKED[limit]), NOTHING)] == [limit]
    assert unenforced(spec({}), NOTHING) == []


def test_rates_are_told_as_people_write_them() -> None:
    (problem,) = unenforced(spec(ASKED["limits.net.egress"]), NOTHING)
    assert problem.value == "8 mbit/s"


def test_a_host_that_holds_all_refuses_nothing() -> None:
    assert all(unenforced(spec(asked), ALL) == [] for asked in ASKED.values())


def test_a_limit_that_nobody_spoke_for_is_not_held() -> None:
    quota = Enforcement(QUOTA, "cgroup v2")
    found = completed([quota])
    assert [each.limit for each in found] == list(LIMITS)
    assert found[0] is quota
    assert all(each.how is None and each.problem and each.remedy for each in found[1:])


@given(st.lists(st.sampled_from(LIMITS), unique=True))
def test_the_order_is_always_the_same(limits: list[str]) -> None:
    found = completed(Enforcement(limit, "x") for limit in limits)
    assert [each.limit for each in found] == list(LIMITS)
    assert {each.limit for each in found if each.how} == set(limits)


def test_in_words() -> None:
    assert in_words(Enforcement(QUOTA, "cgroup v1 at /x", "", "")) == "cgroup v1 at /x"
    assert in_words(Enforcement(QUOTA, None, "no rights", "be root")) == "not held: no rights; be root"
    assert in_words(Enforcement(QUOTA, None, "no rights")) == "not held: no rights"
    assert in_words(Enforcement(QUOTA, None)) == "not held: no reason given"
