"""The document of the API, served by itself."""

from __future__ import annotations

import json
from functools import cache

from aiohttp import web

from supervisor.control import answers
from supervisor.control.api import Call


async def get_document(_call: Call) -> web.StreamResponse:
    """The OpenAPI document."""
    return web.Response(text=_text(), content_type=answers.JSON, headers=answers.FRESH)


@cache
def _text() -> str:
    """Made when it is first asked for: it takes a while and is seldom read."""
    from supervisor.control.openapi import document
    from supervisor.control.peer_routes import PEER_ROUTES
    from supervisor.control.routes import ROUTES  # which holds get_document itself

    return json.dumps(document((*ROUTES, *PEER_ROUTES)))
