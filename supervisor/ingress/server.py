"""What all connections of a process share; the object that aiohttp's protocol reports to."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from typing import TYPE_CHECKING, cast

from aiohttp.web_protocol import RequestHandler
from aiohttp.web_request import BaseRequest
from aiohttp.web_response import StreamResponse
from aiohttp.web_server import Server

from supervisor.ingress.lent import Lent
from supervisor.ingress.memo import HeadMemo
from supervisor.ingress.meter import buffer
from supervisor.ingress.options import MAX_FIELDS, MAX_LINE, READ_BUFFER, IngressOptions
from supervisor.ingress.parked import MOST_PARKED, Parked
from supervisor.ingress.surplus import FULL, MOST_SURPLUS, Surplus
from supervisor.pool.exchange import Failure

if TYPE_CHECKING:
    from supervisor.ingress.connection import Connection
    from supervisor.ingress.ports import Port


class SharedServer(Server):
    """One per process, whatever the number of ports: aiohttp's registry of connections and our limits."""

    def __init__(self, options: IngressOptions, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(
            _serve,
            loop=loop,
            access_log=None,
            auto_decompress=False,  # what a client compressed is the program's to read
            keepalive_timeout=options.keep_alive,
            max_line_size=MAX_LINE,
            max_field_size=MAX_LINE,
            max_headers=MAX_FIELDS,
            read_bufsize=READ_BUFFER,
        )
        self.options = options
        self.draining = False
        self.idle_grace = options.idle_grace
        self.memo = HeadMemo()
        self.turned_away = 0  # connections, for want of room
        self.read_into = buffer()
        self._surplus: set[Surplus] = set()
        self._parked: set[Parked] = set()
        self._empty: asyncio.Future[None] | None = None
        times = (options.keep_alive, options.head_timeout, options.body_timeout, options.send_timeout)
        self.tick = min(times) / 3  # seconds between two looks at a connection's deadlines

    @property
    def protocol_arguments(self) -> dict[str, object]:
        """Keyword arguments for aiohttp's RequestHandler."""
        return self._kwargs

    @property
    def is_full(self) -> bool:
        """Whether one more connection must be turned away."""
        most = self.options.connections
        return most is not None and len(self._connections) >= most

    def turn_away(self, connection: Connection, transport: asyncio.Transport) -> None:
        """There is no room for it, in the process or in its task: its client is told so, or waits for its task."""
        traffic = connection.port.traffic
        if self.is_full:
            self.turned_away += 1
            self._tell(transport, FULL)
        elif traffic.in_line and len(self._parked) < MOST_PARKED:
            Parked(connection, transport, self._parked)
        else:
            traffic.refused += 1
            self._tell(transport, traffic.full)

    def _tell(self, transport: asyncio.Transport, why: Failure) -> None:
        if len(self._surplus) >= MOST_SURPLUS:
            transport.abort()
            return
        surplus = Surplus(transport, why, self._surplus)
        transport.set_protocol(surplus)
        surplus.answer(self.options.linger)

    def abort_surplus(self) -> None:
        """Cuts the connections that have no room."""
        for surplus in list(self._surplus):
            surplus.abort()
        for parked in list(self._parked):
            parked.abort()

    def abort_parked(self, ports: Collection[Port]) -> None:
        """Cuts those that wait for room behind ports that are closed."""
        for parked in [each for each in self._parked if each.connection.port in ports]:
            parked.abort()

    def connection_lost(self, handler: RequestHandler, exc: BaseException | None = None) -> None:
        """Forgets the connection at once, also when a task of aiohttp's still winds down on it."""
        self._connections.pop(handler, None)
        if self._empty is not None and not self._connections and not self._empty.done():
            self._empty.set_result(None)

    async def wait_empty(self) -> None:
        """Returns when there are no connections."""
        if self._connections:
            if self._empty is None or self._empty.done():
                self._empty = asyncio.get_running_loop().create_future()
            await asyncio.shield(self._empty)


async def _serve(request: BaseRequest) -> StreamResponse:
    """aiohttp's request handler: the connection serves itself."""
    connection = cast(Lent, request.protocol)
    answered = await connection.serve(request._message, request._payload)
    return cast(StreamResponse, answered)  # all of it that start() looks at
