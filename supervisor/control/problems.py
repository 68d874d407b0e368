"""Errors as application/problem+json (RFC 9457): every one of them, with what a program can go by."""

from __future__ import annotations

import math
from http import HTTPStatus
from typing import Literal

from aiohttp import web
from pydantic import Field

from supervisor.control.errors import NoSuchMethod, NotReady, Unauthorized, WrongRequest
from supervisor.errors import (
    BootError,
    ControlError,
    EngineError,
    IsolatedError,
    ListenError,
    Place,
    Problem,
    Refused,
    SettingsError,
)
from supervisor.printable import printable, printable_lines
from supervisor.spec.events import View

PROBLEM_TYPE = "application/problem+json"
RETRY_S = 1  # where the error itself knows no better


class ProblemView(View):
    """One thing that is wrong in the settings or the request."""

    message: str
    remedy: str
    allowed: str | None = None
    field: str | None = Field(default=None, description="a setting, e.g. limits.mem.heap, or a parameter")
    value: str | None = Field(default=None, description="as it could stand in a file, shortened")
    line: int | None = None
    column: int | None = None


class ErrorView(View):
    """Why a request failed."""

    type: Literal["about:blank"] = "about:blank"
    title: str = Field(description="the status in words")
    status: int
    detail: str = Field(description="in words, for people")
    kind: str = Field(description="for programs: unknown, refused, settings, boot, listen, wrong-request, …")
    remedy: str | None = None
    problems: tuple[ProblemView, ...] | None = Field(default=None, description="all of them, not only the first")
    file: str | None = Field(default=None, description="the module in which a program failed to boot")
    line: int | None = None
    column: int | None = None
    stack: str | None = None


def response_of(error: BaseException) -> web.Response:
    """The answer that tells of `error`; of a defect only that it is one."""
    view = view_of(error)
    body = view.model_dump_json(exclude_none=True).encode()
    return web.Response(status=view.status, body=body, content_type=PROBLEM_TYPE, headers=_headers(error, view.status))


def view_of(error: BaseException) -> ErrorView:
    """What is told of `error`."""
    status, kind = _status(error)
    remedy = error.remedy if isinstance(error, IsolatedError) else None
    return ErrorView(
        title=HTTPStatus(status).phrase,
        status=status,
        kind=kind,
        detail=_detail(error),
        remedy=None if remedy is None else _lines(remedy),
        problems=tuple(map(_problem, error.problems)) if isinstance(error, SettingsError | WrongRequest) else None,
        **_origin(error),
    )


def _status(error: BaseException) -> tuple[int, str]:
    match error:
        case ControlError():
            return error.status, error.kind
        case SettingsError():
            return 422, "settings"
        case BootError():
            return 422, "boot"
        case ListenError():
            return 409, "listen"
        case EngineError():
            return 503, "engine"
        case IsolatedError():  # of the store, for example: the machine is at fault, and asking again may help
            return 503, "failed"
    return 500, "defect"


def _detail(error: BaseException) -> str:
    if isinstance(error, SettingsError):
        count = len(error.problems)
        return f"the settings are wrong: {count} problem{'s' if count != 1 else ''}"
    if isinstance(error, IsolatedError):
        return _lines(error.message)
    return "a defect of isolated: the host's log has the rest"


def _origin(error: BaseException) -> dict[str, str | int | None]:
    """Where a program failed to boot."""
    if not isinstance(error, BootError):
        return {}
    return {
        "file": None if error.file is None else printable(error.file),
        "stack": None if error.stack is None else _lines(error.stack),
        **_spot(error.place),
    }


def _problem(problem: Problem) -> ProblemView:
    texts = {name: getattr(problem, name) for name in ("message", "remedy", "allowed", "field", "value")}
    safe = {name: None if text is None else printable(text) for name, text in texts.items()}
    return ProblemView.model_validate({**safe, **_spot(problem.place)})


def _spot(place: Place | None) -> dict[str, int | None]:
    return {} if place is None else {"line": place.line, "column": place.column}


def _headers(error: BaseException, status: int) -> dict[str, str]:
    headers = {"Cache-Control": "no-store"}
    if isinstance(error, Refused):
        headers["Retry-After"] = str(max(1, math.ceil(error.retry_s)))
    elif status == HTTPStatus.SERVICE_UNAVAILABLE or isinstance(error, NotReady):
        headers["Retry-After"] = str(RETRY_S)
    if isinstance(error, NoSuchMethod):
        headers["Allow"] = error.allowed
    if isinstance(error, Unauthorized):
        headers["WWW-Authenticate"] = 'Bearer realm="isolated"'
    return headers


def _lines(text: str) -> str:
    return "\n".join(printable_lines(text))
