"""Bodies of requests: read within limits of size and time, parsed strictly."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from aiohttp import ClientPayloadError, web
from aiohttp.http_exceptions import HttpProcessingError
from pydantic import BaseModel, ValidationError

from supervisor.control.errors import TooLarge, TooSlow, WrongMediaType, WrongRequest
from supervisor.errors import Problem, SettingsError
from supervisor.printable import shown
from supervisor.spec.problems import field_path, safe
from supervisor.spec.syntax import SyntaxProblem, parse, repeated

JSON = "application/json"


async def chunks(
    request: web.Request, *, limit: int, timeout_s: float, setting: str | None = None
) -> AsyncIterator[bytes]:
    """The body as it comes, up to `limit` bytes; `timeout_s` is for each part of it. TooLarge, TooSlow.

    `setting`: of the host, that gives the limit.
    """
    if request.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise WrongMediaType("the body is encoded", "send it without Content-Encoding")
    if (request.content_length or 0) > limit:
        raise _too_large(limit, setting)
    taken = 0
    while True:
        try:
            async with asyncio.timeout(timeout_s):
                chunk = await request.content.readany()
        except TimeoutError:
            raise TooSlow(f"the body did not go on for {timeout_s:g} s", "send the request again") from None
        except HttpProcessingError, ClientPayloadError:
            raise WrongRequest("the body is not valid HTTP/1.1", "send Content-Length, or correct chunks") from None
        if not chunk:
            return
        taken += len(chunk)
        if taken > limit:
            raise _too_large(limit, setting)
        yield chunk


async def read_object(request: web.Request, *, limit: int, timeout_s: float) -> dict[str, Any]:
    """The JSON object that the body is; an empty body is an empty one. Raises WrongRequest, or SettingsError."""
    data = b"".join([chunk async for chunk in chunks(request, limit=limit, timeout_s=timeout_s)])
    if not data:
        return {}
    if request.content_type != JSON:
        raise WrongMediaType("the body is not announced as JSON", f"send `Content-Type: {JSON}`")
    document = _parse(data)
    if not isinstance(document, dict):
        raise _wrong(Problem("not an object", "write {…}", allowed="an object of fields", value=shown(document)))
    twice = [safe(Problem("the field stands twice", "take one of the two out", field=f)) for f in repeated(document)]
    if twice:
        raise SettingsError(twice)
    return document


def checked[M: BaseModel](model: type[M], document: dict[str, Any]) -> M:
    """The body as a value of `model`; WrongRequest."""
    try:
        return model.model_validate(document, by_alias=True, by_name=False)
    except ValidationError as error:
        problems = [
            safe(Problem(each["msg"], "correct the value", field=field_path(each["loc"]), value=shown(each["input"])))
            for each in error.errors(include_url=False)
        ]
        raise WrongRequest("the body is wrong", problems=problems) from None


def _parse(data: bytes) -> Any:
    try:
        return parse(data.decode("utf-8-sig"), ".json")
    except UnicodeDecodeError as error:
        raise _wrong(Problem(f"byte {error.start} of the body is not UTF-8", "send UTF-8")) from None
    except SyntaxProblem as error:
        raise _wrong(error.problem) from None


def _wrong(problem: Problem) -> WrongRequest:
    return WrongRequest("the body is not a JSON object", problems=[safe(problem)])


def _too_large(limit: int, setting: str | None) -> TooLarge:
    remedy = "send less" if setting is None else f"send less, or raise `{setting}` in the host's settings"
    return TooLarge(f"the body is larger than {limit} bytes", remedy)
