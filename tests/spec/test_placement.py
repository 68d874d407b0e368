"""Where in a cluster a task may run."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from supervisor.errors import SettingsError
from supervisor.spec.cores import Cores
from supervisor.spec.files import task_of
from supervisor.spec.host_id import is_host_id
from supervisor.spec.placement import Placement
from supervisor.spec.task import TaskSpec

ONE_CORE = Cores(online=frozenset({0}), allowed=frozenset({0}))


def spec(tmp_path: object, placement: object) -> TaskSpec:
    return task_of(
        {"taskId": "t", "pwd": str(tmp_path), "mainPath": "a.js", "placement": placement}, "a task", ONE_CORE
    )


def test_any_host_will_do_unless_some_are_named(tmp_path: object) -> None:
    assert spec(tmp_path, {}).placement == Placement(hosts=None, mode="bestEffort")
    named = spec(tmp_path, {"hosts": ["b", "a-2", "b"], "mode": "strict"}).placement
    assert named.hosts == ("a-2", "b")
    assert named.mode == "strict"


@pytest.mark.parametrize(
    ("placement", "field"),
    [
        ({"hosts": []}, "placement.hosts"),
        ({"hosts": "a"}, "placement.hosts"),
        ({"hosts": ["A"]}, "placement.hosts"),
        ({"hosts": ["-a"]}, "placement.hosts"),
        ({"hosts": [7]}, "placement.hosts"),
        ({"hosts": ["a" * 65]}, "placement.hosts"),
        ({"mode": "eager"}, "placement.mode"),
        ({"mode": None}, "placement.mode"),
        ({"host": "a"}, "placement.host"),
    ],
)
def test_what_is_wrong_is_told_with_its_field(tmp_path: object, placement: object, field: str) -> None:
    with pytest.raises(SettingsError) as caught:
        spec(tmp_path, placement)
    (problem,) = caught.value.problems
    assert problem.field == field
    assert problem.remedy


@given(st.text(alphabet="ab0-", min_size=1, max_size=70))
def test_an_id_is_short_and_neither_begins_nor_ends_with_a_dash(text: str) -> None:
    assert is_host_id(text) == (len(text) <= 64 and not text.startswith("-") and not text.endswith("-"))
