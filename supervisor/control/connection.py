"""Connections of the control API: bounded in number, and with problem+json for what is no HTTP as well."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import cast

from aiohttp import web
from aiohttp.web_protocol import RequestHandler
from aiohttp.web_request import BaseRequest

from supervisor.control.errors import WrongRequest
from supervisor.control.problems import response_of
from supervisor.errors import Refused

FULL = Refused("too many connections", "close some, or ask again in a moment")


def connections(server: web.Server, limit: int) -> Callable[[], asyncio.BaseProtocol]:
    """A factory of protocols for aiohttp's server: at most `limit` of them serve at a time."""
    loop = asyncio.get_running_loop()

    def connection() -> asyncio.BaseProtocol:
        if len(server.connections) >= limit:
            return _Full()
        return _Connection(server, loop=loop, **server._kwargs)  # noqa: SLF001 (what its own __call__ does)

    return connection


def retire(server: web.Server) -> None:
    """Closes idle connections now, the others after the answer that is under way."""
    for connection in server.connections:
        connection.close()
        if isinstance(connection, _Connection) and not connection.answers:
            connection.force_close()


class _Connection(RequestHandler):
    """aiohttp's, but for its words about errors: they quote what the client sent."""

    __slots__ = ()

    @property
    def answers(self) -> bool:
        """Whether a request is under way."""
        return self._request_in_progress

    def handle_error(
        self,
        request: BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:  # fmt: skip
        """The answer to what no handler has seen, or failed at."""
        if request.writer.output_size > 0:
            raise ConnectionError("the status is sent already")
        if status < 500:
            response = response_of(WrongRequest("the request is not valid HTTP/1.1"))
        else:
            logging.getLogger(__name__).error("a request of the control API failed", exc_info=exc)
            response = response_of(exc or RuntimeError())
        response.force_close()
        return response


class _Full(asyncio.Protocol):
    """Says that there are too many, and hangs up."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Answers whatever is to come."""
        connection = cast(asyncio.Transport, transport)  # which uvloop's is by its methods only
        answer = response_of(FULL)
        body = answer.body
        assert isinstance(body, bytes)
        head = f"HTTP/1.1 503 Service Unavailable\r\nContent-Type: {answer.content_type}\r\nRetry-After: 1\r\n"
        head += f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
        connection.write(head.encode() + body)
        connection.close()
