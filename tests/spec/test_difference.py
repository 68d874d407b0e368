"""What changed between two versions of a task, by name."""

from __future__ import annotations

from typing import Any

import pytest

from supervisor.spec.difference import changed_fields
from supervisor.spec.task import TaskSpec


def task(**fields: Any) -> TaskSpec:
    return TaskSpec.model_validate({"taskId": "shop", "pwd": "/apps", "mainPath": "a.js", **fields})


@pytest.mark.parametrize(
    ("after", "fields"),
    [
        ({}, ()),
        ({"idle": "60s"}, ()),  # the default, written out
        ({"idle": None}, ("idle",)),
        ({"listen": ["127.0.0.1:1"]}, ("listen",)),
        ({"limits": {"mem": {"heap": "1GiB"}, "cpu": {"wall": "1s"}}}, ("limits.cpu.wall", "limits.mem.heap")),
        ({"env": {"A": "1"}}, ("env",)),
        ({"mainPath": "b.js", "args": [1]}, ("mainPath", "args")),
    ],
)
def test_each_field_is_named_once(after: dict[str, Any], fields: tuple[str, ...]) -> None:
    assert changed_fields(task(), task(**after)) == fields


def test_a_key_of_env_that_went_is_a_change_of_env() -> None:
    assert changed_fields(task(env={"A": "1", "B": "2"}), task(env={"A": "1"})) == ("env",)
