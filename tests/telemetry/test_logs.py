"""Logs as they come out of a descriptor."""

import json
import logging
import os
import re
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from supervisor.telemetry.logs import (
    TENANT_LINE_BYTES,
    LogFormat,
    chosen_format,
    host_log,
    logging_to,
    task_log,
    tenant_line,
    tenant_text,
    wants_colours,
)

ISO_UTC = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")


def logged(say: Callable[[], object], form: LogFormat | None = None, level: str = "info") -> bytes:
    """What is written while `say` runs, at most a pipe's capacity of 64 KiB."""
    reading, writing = os.pipe()
    with logging_to(writing, form=form, level=level):
        say()
    os.close(writing)
    with open(reading, "rb") as stream:
        return stream.read()


def events(say: Callable[[], object], level: str = "info") -> list[dict[str, Any]]:
    return [json.loads(line) for line in logged(say, "json", level).splitlines()]


def test_json_is_what_a_pipe_gets() -> None:
    (event,) = map(json.loads, logged(lambda: task_log(7).info("ready", listen="x")).splitlines())
    assert ISO_UTC.fullmatch(event.pop("timestamp"))
    assert event == {"level": "info", "task": "7", "event": "ready", "listen": "x"}


def test_console_when_asked_for() -> None:
    text = logged(lambda: host_log().warning("careful", count=2), "console").decode()
    time, rest = text.split(" ", 1)
    assert ISO_UTC.fullmatch(time)
    assert rest == "warning careful count=2\n"


def test_a_terminal_gets_colours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    controlling, terminal = os.openpty()
    with logging_to(terminal):
        host_log().error("red")
    text = line_of(controlling)
    assert b"\x1b[31merror" in text
    monkeypatch.setenv("NO_COLOR", "1")
    with logging_to(terminal):
        host_log().error("plain")
    text = line_of(controlling)
    assert b"plain" in text
    assert b"\x1b" not in text
    os.close(terminal)
    os.close(controlling)


def line_of(terminal: int) -> bytes:
    """The next line there, of which a terminal may give the end later."""
    text = b""
    while not text.endswith(b"\n"):
        text += os.read(terminal, 1000)
    return text


@pytest.mark.parametrize(
    ("environment", "terminal", "colours"),
    [({}, True, True), ({}, False, False), ({"NO_COLOR": "1"}, True, False), ({"NO_COLOR": ""}, True, True),
     ({"TERM": "dumb"}, True, False)],
)  # fmt: skip
def test_colours_are_for_terminals_that_want_them(
    environment: Mapping[str, str], terminal: bool, colours: bool
) -> None:
    assert wants_colours(environment, terminal=terminal) is colours


def test_the_format_asked_for_wins() -> None:
    assert chosen_format(None, terminal=True) == "console"
    assert chosen_format(None, terminal=False) == "json"
    assert chosen_format("json", terminal=True) == "json"


def test_lines_below_the_level_are_left_out() -> None:
    def say() -> None:
        task_log(1).debug("d")
        task_log(1).info("i")
        task_log(1).warning("w")
        tenant_line(1, 1, b"tenant info")
        tenant_line(1, 3, b"tenant error")
        logging.getLogger("aiohttp").info("library info")
        logging.getLogger("aiohttp").error("library error")

    found = [event["event"] for event in events(say, "warning")]
    assert found == ["w", "tenant error", "library error"]


def test_tenants_lines_carry_task_level_and_source() -> None:
    def say() -> None:
        for level in range(5):
            tenant_line("shop", level, b"hello %d" % level)

    found = events(say, "debug")
    assert [event["level"] for event in found] == ["debug", "info", "warning", "error", "error"]
    assert {(event["task"], event["source"]) for event in found} == {("shop", "console")}
    assert all(set(event) == {"timestamp", "level", "task", "event", "source"} for event in found)


def test_a_tenant_cannot_forge_a_line() -> None:
    forged = b"x\n2030-01-01T00:00:00.000Z error   [other] forged\r\x1b[2J\x00\xff\xc2\x9b"
    lines = logged(lambda: tenant_line(1, 1, forged), "console").decode().split("\n")
    assert lines[1].startswith("    | 2030")
    assert lines[1].endswith(r"forged\r\x1b[2J\x00" + "\ufffd" + r"\x9b")
    assert not any(ord(character) < 32 for line in lines for character in line)
    (event,) = events(lambda: tenant_line(1, 1, forged))
    assert event["event"] == forged.decode(errors="replace")


@pytest.mark.parametrize("size", [TENANT_LINE_BYTES - 1, TENANT_LINE_BYTES])
def test_lines_up_to_the_limit_are_whole(size: int) -> None:
    assert tenant_text(b"x" * size) == "x" * size


def test_longer_lines_are_cut_with_a_note() -> None:
    text = tenant_text(b"x" * (TENANT_LINE_BYTES + 1))
    assert text == "x" * TENANT_LINE_BYTES + "… [cut: 16385 bytes in all, 16384 shown]"
    text = tenant_text("\u20ac".encode() * TENANT_LINE_BYTES)
    assert text.startswith("\u20ac" * (TENANT_LINE_BYTES // 3) + "… [cut: 49152 bytes")


def test_the_standard_librarys_loggers_come_out_in_the_same_form() -> None:
    def say() -> None:
        try:
            raise ValueError("inner")
        except ValueError:
            logging.getLogger("asyncio").exception("it %s", "broke")
        # Given to our handler alone: pytest's own raises on formats that do not fit.
        logging.root.handlers[-1].handle(logging.LogRecord("x", 30, "", 0, "bad %d format", ("y",), None))

    broke, bad = events(say)
    assert (broke["event"], broke["level"], broke["logger"]) == ("it broke", "error", "asyncio")
    assert "ValueError: inner" in broke["exception"]
    assert bad["event"] == "bad %d format"


def test_exceptions_are_told_with_their_traceback() -> None:
    def say() -> None:
        try:
            raise ValueError("a\x1b[1mb")
        except ValueError:
            task_log(1).exception("failed")

    text = logged(say, "console").decode()
    assert "    | ValueError: a\\x1b[1mb\n" in text
    assert "\x1b" not in text


def test_leaving_puts_everything_back() -> None:
    handlers, level = list(logging.root.handlers), logging.root.level
    logged(lambda: None)
    assert (logging.root.handlers, logging.root.level) == (handlers, level)


def test_logging_to_a_closed_pipe_goes_on() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with logging_to(writing):
        for _ in range(100):
            host_log().info("nobody hears")
    os.close(writing)
