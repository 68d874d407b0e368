"""Answers that went well."""

from __future__ import annotations

from collections.abc import Iterable

from aiohttp import web

from supervisor.spec.events import View

JSON = "application/json"
FRESH = {"Cache-Control": "no-store"}


def one(view: View, *, status: int = 200) -> web.Response:
    """A value."""
    body = view.model_dump_json(by_alias=True).encode()
    return web.Response(status=status, body=body, content_type=JSON, headers=FRESH)


def many(views: Iterable[View]) -> web.Response:
    """A list of values."""
    body = b"[%s]" % b",".join(view.model_dump_json(by_alias=True).encode() for view in views)
    return web.Response(body=body, content_type=JSON, headers=FRESH)


def nothing(status: int = 204) -> web.Response:
    """That it is done."""
    return web.Response(status=status, headers=FRESH)
