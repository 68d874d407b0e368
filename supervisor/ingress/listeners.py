"""All listening sockets of a process and the connections they took."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterable, Mapping
from types import TracebackType
from typing import Self

from supervisor.errors import ListenError
from supervisor.ingress.connection import Connection
from supervisor.ingress.options import IngressOptions
from supervisor.ingress.ports import Port
from supervisor.ingress.server import SharedServer
from supervisor.ingress.sockets import Bound, bind
from supervisor.pool.exchange import Backend
from supervisor.spec.listen import ListenAddress


class Listeners:
    """Async context: inside it ports can be opened; at its end nothing listens and no connection is left."""

    def __init__(self, options: IngressOptions | None = None) -> None:
        self.options = options or IngressOptions()
        self._ports: list[Port] = []
        self._server: SharedServer | None = None

    async def __aenter__(self) -> Self:
        self._server = SharedServer(self.options, asyncio.get_running_loop())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:  # fmt: skip
        self._stop_accepting(self._ports)
        self.abort_all()
        await self._shared().wait_empty()

    async def open(self, backend: Backend, addresses: Iterable[ListenAddress]) -> tuple[ListenAddress, ...]:
        """Listens for `backend` at all of `addresses`, or at none and raises ListenError.

        Returns the addresses as bound: with the port that stands for 0, and one for each address of a host name.
        """
        opened: list[Port] = []
        try:
            for address in addresses:
                opened += [Port(self._shared(), backend, bound) for bound in await self._bind(address)]
            for port in opened:
                await self._listen(port)
        except BaseException:
            self._stop_accepting(opened)
            raise
        self._ports += opened
        return tuple(port.address for port in opened)

    def close(self, backend: Backend) -> None:
        """Stops listening for `backend` and retires its connections; those with a request in flight answer it first."""
        self._stop_accepting([port for port in self._ports if port.backend is backend])
        for connection in self._connections():
            if connection.backend is backend:
                connection.retire()

    def connections(self) -> Mapping[ListenAddress, int]:
        """How many connections each open port has now."""
        return {port.address: port.connections for port in self._ports}

    async def drain(self, timeout_s: float) -> None:
        """Stops accepting, answers what is in flight and returns when no connection is left.

        Answers from now on announce the connection's end; idle connections are closed. What is left after
        `timeout_s` is cut off.
        """
        server = self._shared()
        server.draining = True
        self._stop_accepting(self._ports)
        for connection in self._connections():
            connection.retire()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                await server.wait_empty()
        self.abort_all()
        await server.wait_empty()

    def abort_all(self) -> None:
        """Cuts all connections now, whatever is in flight on them."""
        for connection in self._connections():
            connection.abort()

    async def _bind(self, address: ListenAddress) -> list[Bound]:
        # off the loop: a host name may have to be asked for
        return await asyncio.get_running_loop().run_in_executor(None, bind, address, self.options.unix_mode)

    async def _listen(self, port: Port) -> None:
        loop = asyncio.get_running_loop()
        create = loop.create_unix_server if port.address.kind == "unix" else loop.create_server
        try:
            port.listening = await create(lambda: Connection(port), sock=port.bound.sock, backlog=self.options.backlog)
        except OSError as error:  # SO_REUSEADDR lets two sockets bind a port, and only one listen
            raise ListenError.from_os_error(str(port.address), error) from error

    def _stop_accepting(self, ports: Iterable[Port]) -> None:
        for port in list(ports):
            port.stop_accepting()
            if port in self._ports:
                self._ports.remove(port)

    def _shared(self) -> SharedServer:
        if self._server is None:
            raise RuntimeError("Listeners is an async context: use it inside `async with`")
        return self._server

    def _connections(self) -> list[Connection]:
        return self._shared().connections  # type: ignore[return-value]
