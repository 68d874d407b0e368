"""A log line is one line, whoever wrote its text."""

import json
import re
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from supervisor.telemetry.lines import CONTINUATION, console_line, json_line

EVENT = {"timestamp": "2030-01-02T03:04:05.678Z", "level": "info", "task": "shop", "event": "ready"}


def test_a_console_line() -> None:
    line = console_line(EVENT | {"listen": "127.0.0.1:80", "said": 'a "b"', "n": 3, "empty": ""}, colours=False)
    assert line == b'2030-01-02T03:04:05.678Z info    [shop] ready listen=127.0.0.1:80 said="a \\"b\\"" n=3 empty=""\n'


def test_without_a_task() -> None:
    event = {name: value for name, value in EVENT.items() if name != "task"}
    assert console_line(event, colours=False) == b"2030-01-02T03:04:05.678Z info    ready\n"


def test_colours_are_the_only_escapes() -> None:
    line = console_line(EVENT | {"event": "\x1b[31mred", "x": "\x1b[0m"}, colours=True).decode()
    assert "\\x1b[31mred" in line
    ours = re.sub("\x1b\\[[0-9;]+m", "", line)
    assert "\x1b" not in ours
    assert "\x1b" not in console_line(EVENT, colours=False).decode()


def test_further_lines_and_stacks_are_marked() -> None:
    text = console_line(EVENT | {"event": "a\nb", "exception": "Traceback\n  x\n"}, colours=False).decode()
    assert text.splitlines()[1:] == [CONTINUATION + "b", CONTINUATION + "Traceback", CONTINUATION + "  x"]


@given(st.text(), st.text(min_size=1), st.text())
def test_no_text_forges_a_line_or_an_escape(event: str, task: str, value: str) -> None:
    """However a tenant's text looks, lines that do not begin with the mark of continuation are ours, one per event."""
    data = console_line(EVENT | {"event": event, "task": task, "key": value}, colours=False)
    assert data.endswith(b"\n")
    lines = data.decode().removesuffix("\n").split("\n")
    assert lines[0].startswith("2030-01-02T03:04:05.678Z info    [")
    assert all(line.startswith(CONTINUATION) for line in lines[1:])
    assert not any(ord(character) < 32 or 127 <= ord(character) < 160 for line in lines for character in line)
    assert data.decode().splitlines() == lines


@given(st.text(), st.text())
def test_json_lines_give_the_text_back_unchanged(event: str, value: str) -> None:
    data = json_line(EVENT | {"event": event, "key": value})
    assert data.count(b"\n") == 1
    assert data.isascii()
    assert not any(byte < 32 for byte in data[:-1])
    assert json.loads(data) == EVENT | {"event": event, "key": value}


def test_json_takes_values_of_any_kind() -> None:
    odd: dict[str, Any] = EVENT | {"path": object, "error": ValueError("x")}
    assert json.loads(json_line(odd))["error"] == "x"
