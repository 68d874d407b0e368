"""Why an isolate ended: the reason, the limit, what was measured, and where in the sources."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from supervisor.errors import Place
from supervisor.printable import printable
from supervisor.spec.units import SIZE, TIME, Quantity


class ExitReason(StrEnum):
    """Why an isolate ended. The values are on the wire, in logs and in problem documents: they never change."""

    EXITED = "exited"  # the program ended itself: process.exit, or nothing left to do
    UNCAUGHT = "uncaught"  # an exception or rejection that nobody caught, at boot
    HEAP_LIMIT = "heap-limit"
    EXTERNAL_LIMIT = "external-limit"
    CPU_LIMIT = "cpu-limit"
    WALL_LIMIT = "wall-limit"
    STARTUP_LIMIT = "startup-limit"
    NO_HANDLER = "no-handler"  # it listens, and its main module handles no requests
    NO_THREAD = "no-thread"  # the machine or the host has no thread left for it
    BLOCKED = "blocked"  # its sources are blocked on this host: nothing was run
    UNRESPONSIVE = "unresponsive"  # did not end when told to; its thread is parked
    ABORTED = "aborted"  # V8 itself gave up, or the host could not understand why it ended
    IDLE = "idle"
    DRAINED = "drained"
    KILLED = "killed"  # an operator or the host's end


_ORDERLY = {ExitReason.IDLE, ExitReason.DRAINED, ExitReason.KILLED}

# reason: what happened, what is measured, in which unit. The engine tells both numbers in bytes or milliseconds.
_WORDS: dict[ExitReason, tuple[str, Quantity | None]] = {
    ExitReason.EXITED: ("the program ended", None),
    ExitReason.UNCAUGHT: ("an error was not caught", None),
    ExitReason.HEAP_LIMIT: ("the heap grew past limits.mem.heap", SIZE),
    ExitReason.EXTERNAL_LIMIT: ("memory outside the heap grew past limits.mem.external", SIZE),
    ExitReason.CPU_LIMIT: ("CPU time ran past limits.cpu.request", TIME),
    ExitReason.WALL_LIMIT: ("a request took longer than limits.cpu.wall", TIME),
    ExitReason.STARTUP_LIMIT: ("the main module took longer than limits.cpu.startup", TIME),
    ExitReason.NO_HANDLER: ("it listens, but its main module handles no requests", None),
    ExitReason.NO_THREAD: ("there is no thread left for it", None),
    ExitReason.BLOCKED: ("the program is blocked on this host for what it did before", None),
    ExitReason.UNRESPONSIVE: ("the program did not stop when it was told to", TIME),
    ExitReason.ABORTED: ("V8 gave up", None),
    ExitReason.IDLE: ("it had nothing to do", TIME),
    ExitReason.DRAINED: ("the host asked it to end, and it finished its work", None),
    ExitReason.KILLED: ("the host ended it at once", None),
}


@dataclass(frozen=True, slots=True)
class ErrorPlace:
    """A JavaScript error and where it was thrown."""

    message: str
    file: str | None = None
    place: Place | None = None
    stack: str | None = None


@dataclass(frozen=True, slots=True)
class Exit:
    """The end of one isolate. `limit` and `measured` are bytes or milliseconds, by the reason; None = not known."""

    reason: ExitReason
    limit: float | None = None
    measured: float | None = None
    code: int | None = None
    message: str = ""
    stack: str | None = None
    error: ErrorPlace | None = None
    parked: bool = False  # the thread that ran it is lost to the process
    sources: str = ""  # the hash of what was loaded, hex; empty if nothing was
    cpu_s: float | None = None  # CPU time of its thread from first to last, seconds

    @property
    def unit(self) -> str | None:
        """What `limit` and `measured` count."""
        quantity = _WORDS[self.reason][1]
        return None if quantity is None else "bytes" if quantity is SIZE else "milliseconds"

    @property
    def failed(self) -> bool:
        """Whether the program is at fault, so that starting it again may fail again."""
        if self.reason is ExitReason.EXITED:
            return bool(self.code)
        return self.reason not in _ORDERLY

    def describe(self) -> str:
        """One line: the reason, what it means, what was measured against which limit, and the program's own words."""
        words, quantity = _WORDS[self.reason]
        parts = [f"{self.reason}: {words}"]
        if self.code is not None and self.reason is ExitReason.EXITED:
            parts[0] += f" with code {self.code}"
        if quantity is not None:
            figures = [("measured", self.measured), ("limit", self.limit)]
            parts += [f"{name} {quantity.tell(value)}" for name, value in figures if value is not None]
        text = ", ".join(parts)
        said = self.message or (self.error.message if self.error is not None else "")
        return f"{text}: {printable(said)}" if said else text


def exit_of(payload: bytes | str) -> Exit:
    """The exit that the engine's JSON tells. Never raises: what cannot be understood is an `aborted` that says so."""
    try:
        record = json.loads(payload)
        return _exit(record)
    except ValueError, TypeError, KeyError, AttributeError, RecursionError:
        text = payload if isinstance(payload, str) else payload.decode(errors="replace")
        return Exit(ExitReason.ABORTED, message=f"the engine's record of the end was not understood: {text[:200]}")


def _exit(record: Mapping[str, Any]) -> Exit:
    return Exit(
        reason=ExitReason(record["reason"]),
        limit=_number(record.get("limit")),
        measured=_number(record.get("measured")),
        code=None if record.get("code") is None else int(record["code"]),
        message=str(record.get("message") or ""),
        stack=_text(record.get("stack")),
        error=_error(record.get("error")),
        parked=bool(record.get("parked")),
        sources=str(record.get("sources") or ""),
        cpu_s=None if (cpu_ms := _number(record.get("cpu"))) is None else cpu_ms / 1000,
    )


def _error(record: Mapping[str, Any] | None) -> ErrorPlace | None:
    if not record:
        return None
    line, column = _number(record.get("line")), _number(record.get("column"))
    place = Place(int(line), int(column) if column else None, _text(record.get("sourceLine"))) if line else None
    return ErrorPlace(str(record.get("message") or ""), _text(record.get("file")), place, _text(record.get("stack")))


def _number(value: Any) -> float | None:
    if value is None or isinstance(value, int | float):
        return value
    raise TypeError(f"{value!r} is not a number")


def _text(value: Any) -> str | None:
    return str(value) if value else None
