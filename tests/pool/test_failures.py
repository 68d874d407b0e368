"""What clients are told."""

from __future__ import annotations

import json

import pytest

from supervisor.ingress.problems import wire
from supervisor.pool.failures import HANDLER_ERROR, of_exit, of_wall_limit
from supervisor.spec.exits import Exit, ExitReason


def members(failure: object) -> dict[str, object]:
    found: dict[str, object] = json.loads(wire(failure, head_only=False, close=False).partition(b"\r\n\r\n")[2])  # type: ignore[arg-type]
    return found


@pytest.mark.parametrize(
    ("end", "told"),
    [
        (
            Exit(ExitReason.HEAP_LIMIT, limit=16777216.0, measured=17000001.0),
            {"limit": 16777216, "measured": 17000001, "unit": "bytes"},
        ),
        (
            Exit(ExitReason.EXTERNAL_LIMIT, limit=1048576),
            {"limit": 1048576, "unit": "bytes"},
        ),
        (
            Exit(ExitReason.CPU_LIMIT, limit=50.0, measured=51.23456),
            {"limit": 50, "measured": 51.235, "unit": "milliseconds"},
        ),
        (Exit(ExitReason.UNCAUGHT), {}),
        (Exit(ExitReason.KILLED), {}),
        (Exit(ExitReason.WALL_LIMIT), {}),
    ],
)
def test_a_limit_that_was_hit_is_told_with_what_was_measured(end: Exit, told: dict[str, object]) -> None:
    found = members(of_exit(end))
    assert {name: found[name] for name in ("limit", "measured", "unit") if name in found} == told
    assert found["reason"] == end.reason.value
    assert found["status"] == 503


def test_a_request_that_took_too_long() -> None:
    found = members(of_wall_limit(250.0))
    assert (found["limit"], found["unit"]) == (250, "milliseconds")
    assert "measured" not in found


def test_other_failures_have_only_the_standard_members_and_a_reason() -> None:
    assert set(members(HANDLER_ERROR)) == {"type", "title", "status", "detail", "reason"}
