"""From an answer of the control API that is not success to an error for a person; pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from supervisor.cli.codes import HostBusy, HostFailed, NotPermitted, UnknownToHost, WrongForHost
from supervisor.errors import BootError, IsolatedError, Place, Problem, SettingsError
from supervisor.printable import printable, printable_lines

MIME_PROBLEM = "application/problem+json"

_NOT_PERMITTED = "name the file that holds the host's token with --token-file"


def error_of(status: int, mime: str, body: str, retry_after: str | None) -> IsolatedError:
    """The error that an answer with `status` of 300 or above is."""
    problem = _problem(mime, body)
    if problem is None:
        return HostFailed(f"the answer was {status}, and not of a kind that isolated gives", "is it the right --host?")
    message, remedy = _message(problem, status), _line(problem.get("remedy"))
    if problems := _problems(problem.get("problems")):
        return SettingsError(problems)
    if problem.get("kind") == "boot":
        return _boot_error(problem, message, remedy)
    if status in (401, 403):
        return NotPermitted(message, remedy or _NOT_PERMITTED)
    if status == 404 and problem.get("kind") == "unknown":
        return UnknownToHost(message, remedy or "`isolated ps` lists what there is")
    if status in (429, 503):
        wait = f"try again in {retry_after} s" if retry_after and retry_after.isdecimal() else "try again later"
        return HostBusy(message, remedy or wait)
    if status in (400, 413, 415):
        return WrongForHost(message, remedy)
    return HostFailed(message, remedy)


def _boot_error(problem: Mapping[str, Any], message: str, remedy: str | None) -> BootError:
    file, stack = (problem.get(name) for name in ("file", "stack"))
    return BootError(
        message,
        remedy,
        file=file if isinstance(file, str) else None,
        place=_place(problem),
        stack=stack if isinstance(stack, str) else None,
    )


def _place(value: Mapping[str, Any]) -> Place | None:
    line, column = value.get("line"), value.get("column")
    if not isinstance(line, int):
        return None
    return Place(line, column if isinstance(column, int) else None)


def _problem(mime: str, body: str) -> Mapping[str, Any] | None:
    try:
        found = json.loads(body) if mime.partition(";")[0].strip().lower() == MIME_PROBLEM else None
    except ValueError, RecursionError:
        return None
    return found if isinstance(found, dict) else None


def _message(problem: Mapping[str, Any], status: int) -> str:
    for field in ("detail", "title"):
        text = problem.get(field)
        if isinstance(text, str) and text.strip():
            return "\n".join(printable_lines(text))
    return f"the host answered {status}"


def _problems(values: Any) -> list[Problem]:
    """The settings that the host refuses, made fit for a terminal."""
    if not isinstance(values, list):
        return []
    return [_one(value) for value in values if isinstance(value, dict)]


def _one(value: Mapping[str, Any]) -> Problem:
    texts = {name: _line(value.get(name)) for name in ("message", "remedy", "allowed", "field", "value")}
    message, remedy = texts["message"] or "not accepted", texts["remedy"] or "correct the value"
    return Problem(message, remedy, allowed=texts["allowed"], field=texts["field"], value=texts["value"])


def _line(value: Any) -> str | None:
    if value is None:
        return None
    return printable(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))
