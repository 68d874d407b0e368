"""Error answers as application/problem+json (RFC 9457), in wire form."""

from __future__ import annotations

import json
from email.utils import formatdate
from http import HTTPStatus

from supervisor.pool.exchange import Failure

# What a client is told about its own mistakes. Never the parser's words: they quote what the client sent.
DETAILS = {
    400: "The request is not valid HTTP/1.1.",
    408: "The rest of the request did not arrive in time.",
    413: "The request's body is larger than this server takes.",
    417: "The only expectation that this server knows is 100-continue.",
    431: "The request's line or header fields are larger than this server takes.",
    500: "The server made a mistake.",
    501: "This server does not do what the request asks for.",
    505: "This server speaks HTTP/1.0 and HTTP/1.1.",
}


def fault(status: int, detail: str | None = None) -> Failure:
    """The failure that tells a client of an HTTP-level mistake, with `status`'s own phrase as title."""
    phrase = HTTPStatus(status).phrase
    return Failure(status, phrase.lower().replace(" ", "-"), phrase, detail or DETAILS[status])


def wire(failure: Failure, *, head_only: bool, close: bool, request_id: str | None = None) -> bytes:
    """The whole response, ready to be sent; `head_only` for answers to HEAD, `close` announces the connection's end."""
    body = json.dumps(_members(failure, request_id), ensure_ascii=False).encode("utf-8", "replace")
    lines = [
        f"HTTP/1.1 {failure.status} {_phrase(failure.status)}",
        f"Date: {formatdate(usegmt=True)}",
        "Content-Type: application/problem+json",
        f"Content-Length: {len(body)}",
    ]
    if failure.retry_after_s is not None:
        lines.append(f"Retry-After: {failure.retry_after_s}")
    if close:
        lines.append("Connection: close")
    head = ("\r\n".join(lines) + "\r\n\r\n").encode("ascii")
    return head if head_only else head + body


def _members(failure: Failure, request_id: str | None) -> dict[str, object]:
    """What the document says; the last ones are ours (RFC 9457, section 3.2), and there where they are known."""
    own = {
        "reason": failure.reason,
        "limit": _number(failure.limit),
        "measured": _number(failure.measured),
        "unit": failure.unit,
        "requestId": request_id,
    }
    standard = {"type": "about:blank", "title": failure.title, "status": failure.status, "detail": failure.detail}
    return standard | {name: value for name, value in own.items() if value is not None}


def _number(value: float | None) -> float | None:
    """Whole where it is, and else with as many digits as anybody reads."""
    return int(value) if value is not None and value == int(value) else value and round(value, 3)


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Error"
