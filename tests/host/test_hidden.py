"""What is told of a task's settings has no secrets in it."""

from __future__ import annotations

from typing import Any

import pytest

from supervisor.host.views import hidden
from supervisor.spec.views import HIDDEN


@pytest.mark.parametrize(
    ("env", "told"),
    [
        ({}, {}),
        ({"TOKEN": "hunter2", "EMPTY": ""}, {"TOKEN": HIDDEN, "EMPTY": HIDDEN}),
        ({"NESTED": {"a": "hunter2"}}, {"NESTED": HIDDEN}),  # of an older version, or of another hand
        (["hunter2"], HIDDEN),
        ("hunter2", HIDDEN),
        (None, HIDDEN),
    ],
)
def test_of_the_environment_only_the_names_are_told(env: Any, told: Any) -> None:
    spec = {"taskId": 1, "env": env, "args": ["x"]}
    assert hidden(spec) == {"taskId": 1, "env": told, "args": ["x"]}
    assert spec["env"] is env, "the settings themselves stay as they are"


def test_settings_without_an_environment_stay_as_they_are() -> None:
    assert hidden({"taskId": 1}) == {"taskId": 1}
