"""The host's log: one event, one line, on stderr; readable on a terminal, JSON for programs.

`logging_to` is entered once, by the command line. Everything else takes `host_log()` or `task_log(task_id)` and says
what happened: `task_log(spec.label).info("ready", listen=...)`. The standard library's loggers (asyncio, aiohttp)
come out in the same form. Lines of tenants go through `tenant_line` only.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, Literal, cast

import structlog
from structlog.typing import FilteringBoundLogger

from supervisor.telemetry.lines import console_line, json_line
from supervisor.telemetry.sink import LineSink

type LogFormat = Literal["console", "json"]

LEVELS = ("debug", "info", "warning", "error")
TENANT_LINE_BYTES = 16 * 1024  # one console call; longer ones are data, not messages
_TENANT = "_tenant"  # marks an event on its way to the sink; never printed


def host_log() -> FilteringBoundLogger:
    """The log for what concerns no single task."""
    return cast(FilteringBoundLogger, structlog.get_logger())


def task_log(task_id: int | str) -> FilteringBoundLogger:
    """The log for what concerns one task: every line carries its id."""
    return cast(FilteringBoundLogger, structlog.get_logger().bind(task=str(task_id)))


def tenant_line(task_id: int | str, level: int, payload: bytes) -> None:
    """Logs one console call of a task. `level` is the engine's: 0 debug to 3 error; `payload` is what it wrote."""
    name = LEVELS[min(max(level, 0), 3)]
    log = task_log(task_id).bind(source="console", **{_TENANT: True})
    getattr(log, name)(tenant_text(payload))


def tenant_text(payload: bytes) -> str:
    """The text of a console call, cut to TENANT_LINE_BYTES with a note; never fails, whatever the bytes are."""
    text = payload[:TENANT_LINE_BYTES].decode(errors="replace")
    if len(payload) <= TENANT_LINE_BYTES:
        return text
    return f"{text.rstrip('\ufffd')}… [cut: {len(payload)} bytes in all, {TENANT_LINE_BYTES} shown]"


def chosen_format(asked: LogFormat | None, *, terminal: bool) -> LogFormat:
    """The format to use: the one asked for, else the one that suits who reads."""
    return asked or ("console" if terminal else "json")


def wants_colours(environment: Mapping[str, str], *, terminal: bool) -> bool:
    """Whether to colour: on terminals that can, unless NO_COLOR is set to anything (no-color.org)."""
    return terminal and not environment.get("NO_COLOR") and environment.get("TERM") != "dumb"


@contextmanager
def logging_to(fd: int = 2, *, form: LogFormat | None = None, level: str = "info") -> Iterator[LineSink]:
    """Sends all logs to `fd` until left, then writes out what is queued (for at most a second)."""
    terminal = os.isatty(fd)
    form = chosen_format(form, terminal=terminal)
    renderer = _Renderer(form, colours=wants_colours(os.environ, terminal=terminal))
    sink = LineSink(fd, renderer.dropped_note)
    threshold = getattr(logging, level.upper())
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            _timestamp,
            structlog.processors.StackInfoRenderer(),
            structlog.processors.format_exc_info,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(threshold),
        logger_factory=lambda *_: _SinkLogger(sink),
        cache_logger_on_first_use=False,
    )
    forwarder = _Forwarder(threshold)
    root_level = logging.root.level
    logging.root.addHandler(forwarder)
    logging.root.setLevel(max(threshold, logging.INFO))  # asyncio's debug lines are about asyncio, not about us
    try:
        yield sink
    finally:
        logging.root.removeHandler(forwarder)
        logging.root.setLevel(root_level)
        structlog.reset_defaults()
        sink.close()


class _Renderer:
    """The last processor: from an event to the bytes of its line, and whether a tenant wrote it."""

    def __init__(self, form: LogFormat, *, colours: bool) -> None:
        self._form = form
        self._colours = colours

    def __call__(self, logger: object, method: str, event: MutableMapping[str, Any]) -> tuple[tuple[bytes, bool], Any]:
        tenant = bool(event.pop(_TENANT, False))
        return (self._line(event), tenant), {}

    def dropped_note(self, count: int) -> bytes:
        event = {"event": "log lines dropped: the reader is too slow", "count": count, "level": "warning"}
        return self._line(_timestamp(None, "", event))

    def _line(self, event: MutableMapping[str, Any]) -> bytes:
        names = ("timestamp", "level", "task", "event")
        ordered = {name: event.pop(name) for name in names if name in event} | dict(event)
        return json_line(ordered) if self._form == "json" else console_line(ordered, colours=self._colours)


class _SinkLogger:
    """What structlog calls with the rendered line."""

    def __init__(self, sink: LineSink) -> None:
        self._sink = sink

    def _write(self, line: bytes, tenant: bool) -> None:
        self._sink.write(line, tenant=tenant)

    debug = info = warning = error = critical = exception = log = msg = _write


class _Forwarder(logging.Handler):
    """Brings records of the standard library's loggers into the same log."""

    def emit(self, record: logging.LogRecord) -> None:
        level = max(record.levelno // 10 * 10, logging.DEBUG)
        try:
            text = record.getMessage()
        except TypeError, ValueError:  # a format that does not fit its arguments
            text = str(record.msg)
        host_log().log(level, text, logger=record.name, exc_info=record.exc_info)


def _timestamp(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    event["timestamp"] = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return event
