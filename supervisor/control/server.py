"""The control API as a whole: its listeners, their applications, and their end."""

from __future__ import annotations

import asyncio
import os
import ssl
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from aiohttp import web

from supervisor.control import listener
from supervisor.control.access import Token, read_token, renew, tls
from supervisor.control.api import Access, Api
from supervisor.control.application import application
from supervisor.control.bundles import make_folder
from supervisor.control.connection import connections, retire
from supervisor.control.listener import Listener
from supervisor.control.options import ControlOptions
from supervisor.control.peer_port import PeerControl
from supervisor.control.peer_routes import PEER_ROUTES
from supervisor.control.port import HostControl
from supervisor.control.routes import ROUTES
from supervisor.control.sockets import GROUP, OWNER
from supervisor.control.streams import Streams
from supervisor.errors import ListenError

IDLE_GRACE_S = 0.5  # after a release: a connection that was just made has its first request on the way
LINGER_S = 2.0  # reading on after an answer that did not wait for the body, so that a reset does not overtake it


@dataclass(frozen=True, slots=True, eq=False)
class _Door:
    """A way in: its application and the sockets that lead to it."""

    access: Access
    runner: web.AppRunner
    listeners: list[Listener]
    context: ssl.SSLContext | None
    token: Token | None = None


class ControlServer:
    """Async context: inside it the control API is served. Loop thread; entered once.

    `given`: descriptors of a predecessor's sockets by their names (its `handles()`); they belong to the server now.
    `peer`: who answers to other hosts; needed with `options.peers`.
    `paused`: nothing is accepted until `resume()`; connections wait meanwhile.
    Entering raises ListenError, and SettingsError for files of token and TLS.
    """

    def __init__(
        self,
        host: HostControl,
        options: ControlOptions,
        *,
        peer: PeerControl | None = None,
        given: Mapping[str, int] | None = None,
        paused: bool = False,
    ) -> None:  # fmt: skip
        self._options = options
        self._given = dict(given or {})
        self._paused = paused
        self._api = Api(host, options, Streams(options.streams, send_timeout=options.send_timeout), peer)
        self._doors: list[_Door] = []
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        async with self._stack:
            await self._open()
            if not self._paused:
                await self.resume()
            self._stack = self._stack.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:  # fmt: skip
        """Stops accepting, ends streams, answers what is in flight within the grace, and closes."""
        await self._stack.aclose()

    @property
    def addresses(self) -> tuple[str, ...]:
        """Where it listens, as bound."""
        return tuple(each.address for door in self._doors for each in door.listeners)

    def handles(self) -> dict[str, int]:
        """Descriptors for a successor's `given`, by name; they stay ours."""
        found: dict[str, int] = {}
        for door in self._doors:
            for each in door.listeners:
                found |= each.handles
        return found

    async def resume(self) -> None:
        """Accepts connections from now on."""
        self._paused = False
        for door in self._doors:
            assert door.runner.server is not None
            factory = connections(door.runner.server, self._options.connections)
            for each in door.listeners:
                await each.listen(factory, door.context)

    def reload(self) -> tuple[str, ...]:
        """Reads token and certificate anew, for requests and connections to come; returns the files' names.

        SettingsError: one of them is not good, and all stays as it was.
        """
        remote = self._options.remote
        if remote is None:
            return ()
        token = read_token(remote.token_file)
        for door in self._doors:
            if door.context is not None and door.token is not None:
                renew(door.context, remote.certificate, remote.key)
                door.token.become(token)
        return tuple(map(str, (remote.certificate, remote.key, remote.token_file)))

    def rekey(self) -> None:
        """The cluster's keys have changed: connections of peers end, after the answer that is under way.

        They come again, by a key that counts.
        """
        for door in self._doors:
            if door.access is Access.PEER and door.runner.server is not None:
                retire(door.runner.server)

    def release(self) -> None:
        """Leaves sockets and files to a successor that has them: stops accepting, ends streams, answers go on."""
        self._api.streams.close()
        for door in self._doors:
            for each in door.listeners:
                each.owns_file = False
                each.close()
            door.listeners.clear()
        retiring = asyncio.create_task(self._retire())
        self._stack.push_async_callback(asyncio.wait, (retiring,))

    async def _retire(self) -> None:
        """Closes connections that nothing happens on, or their next request would come here."""
        await asyncio.sleep(IDLE_GRACE_S)
        for door in self._doors:
            if door.runner.server is not None:
                retire(door.runner.server)

    async def _open(self) -> None:
        options, given = self._options, self._given
        self._stack.callback(self._close_given)
        self._stack.push_async_callback(self._api.settle, options.grace)
        remote = options.remote
        token = None if remote is None else read_token(remote.token_file)
        context = None if remote is None else tls(remote.certificate, remote.key)
        try:
            make_folder(options.uploads)
        except OSError as error:
            why = f"the folder of uploads cannot be made: {options.uploads}: {error.strerror}"
            raise ListenError(f"unix:{options.socket}", why, "check the host's stateDir") from error
        await self._add(Access.LOCAL, [listener.unix(options.socket, given, OWNER)])
        loop = asyncio.get_running_loop()
        if remote is not None:
            found = await loop.run_in_executor(None, listener.tcp, "api", remote.address, given)
            await self._add(Access.REMOTE, found, token, context)
        if options.peers is not None:
            found = await loop.run_in_executor(None, listener.tcp, "peers", options.peers.address, given)
            await self._add(Access.PEER, found, context=options.peers.context)
        if options.metrics is not None:
            if options.metrics.kind == "unix":
                found = [listener.unix(Path(options.metrics.path), given, GROUP)]
            else:
                found = await loop.run_in_executor(None, listener.tcp, "metrics", options.metrics, given)
            await self._add(Access.PUBLIC, found)

    async def _add(
        self,
        access: Access,
        listeners: list[Listener],
        token: Token | None = None,
        context: ssl.SSLContext | None = None,
    ) -> None:  # fmt: skip
        runner = web.AppRunner(
            application(self._api, (*ROUTES, *PEER_ROUTES), access, token),
            access_log=None,  # what changes is told by events
            handler_cancellation=True,  # a stream ends when its client goes; what must not is kept (Api.keep)
            auto_decompress=False,
            keepalive_timeout=self._options.keep_alive,
            lingering_time=LINGER_S,
            shutdown_timeout=self._options.grace,
        )
        door = _Door(access, runner, listeners, context, token)
        self._doors.append(door)
        self._stack.push_async_callback(self._close, door)
        await runner.setup()

    async def _close(self, door: _Door) -> None:
        self._api.streams.close()
        for each in door.listeners:
            each.close()
        door.listeners.clear()
        await door.runner.cleanup()

    def _close_given(self) -> None:
        """Of a predecessor with other settings: nobody takes them."""
        for descriptor in self._given.values():
            os.close(descriptor)
        self._given.clear()
