"""Exits say why, how much and where, whatever the engine's record holds."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from supervisor.errors import Place
from supervisor.spec.exits import ErrorPlace, Exit, ExitReason, exit_of


@pytest.mark.parametrize(
    ("found", "text"),
    [
        (
            Exit(ExitReason.HEAP_LIMIT, limit=10 * 2**20, measured=10.5 * 2**20),
            "heap-limit: the heap grew past limits.mem.heap, measured 10.5 MiB, limit 10 MiB",
        ),
        (
            Exit(ExitReason.CPU_LIMIT, limit=50, measured=53.2),
            "cpu-limit: CPU time ran past limits.cpu.request, measured 53.2 ms, limit 50 ms",
        ),
        (
            Exit(ExitReason.WALL_LIMIT, limit=30_000),
            "wall-limit: a request took longer than limits.cpu.wall, limit 30 s",
        ),
        (Exit(ExitReason.EXITED, code=3), "exited: the program ended with code 3"),
        (Exit(ExitReason.EXITED), "exited: the program ended"),
        (
            Exit(ExitReason.UNCAUGHT, error=ErrorPlace("TypeError: x\nis \x1b[1mbad")),
            r"uncaught: an error was not caught: TypeError: x\nis \x1b[1mbad",
        ),
    ],
)
def test_descriptions(found: Exit, text: str) -> None:
    assert found.describe() == text


def test_a_full_record() -> None:
    record = {
        "reason": "uncaught",
        "message": "boom",
        "code": 1,
        "stack": "at x",
        "error": {
            "message": "Error: boom",
            "file": "app.js",
            "line": 3,
            "column": 5,
            "sourceLine": "x",
            "stack": "at y",
        },
    }
    assert exit_of(json.dumps(record).encode()) == Exit(
        ExitReason.UNCAUGHT,
        code=1,
        message="boom",
        stack="at x",
        error=ErrorPlace("Error: boom", "app.js", Place(3, 5, "x"), "at y"),
    )


def test_cpu_time_is_told_in_milliseconds_and_kept_in_seconds() -> None:
    assert exit_of('{"reason": "cpu-limit", "cpu": 52.5}').cpu_s == 0.0525
    assert exit_of('{"reason": "cpu-limit"}').cpu_s is None


def test_line_0_is_no_place() -> None:
    found = exit_of(
        '{"reason": "uncaught", "error": {"message": "m", "file": "", "line": 0, "column": 0, "stack": ""}}'
    )
    assert found.error == ErrorPlace("m")


@pytest.mark.parametrize(
    ("reason", "code", "failed"),
    [
        ("exited", None, False),
        ("exited", 0, False),
        ("exited", 2, True),
        ("idle", None, False),
        ("drained", None, False),
        ("killed", None, False),
        ("heap-limit", None, True),
        ("aborted", None, True),
        ("no-handler", None, True),
    ],
)
def test_failed_says_whether_the_program_is_at_fault(reason: str, code: int | None, failed: bool) -> None:
    assert Exit(ExitReason(reason), code=code).failed is failed


@pytest.mark.parametrize("reason", list(ExitReason))
def test_every_reason_has_words(reason: ExitReason) -> None:
    assert Exit(reason, limit=1, measured=2, code=1).describe().startswith(f"{reason}: ")
    assert exit_of(json.dumps({"reason": reason})) == Exit(reason)


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"{",
        b"[]",
        b"3",
        b"{}",
        b'{"reason": "new-one"}',
        b'{"reason": "idle", "limit": "x"}',
        b"\xff",
        b"[" * 99_999,
    ],
)
def test_a_record_that_is_not_understood_is_an_abort(payload: bytes) -> None:
    found = exit_of(payload)
    assert found.reason is ExitReason.ABORTED
    assert "not understood" in found.message


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
FIELDS = ["limit", "measured", "code", "message", "stack", "error", "cpu"]


@given(st.sampled_from(ExitReason), st.dictionaries(st.sampled_from(FIELDS), JSON))
def test_any_record_has_a_one_line_description(reason: ExitReason, fields: dict[str, Any]) -> None:
    text = exit_of(json.dumps({"reason": reason, **fields})).describe()
    assert text
    assert "\n" not in text
