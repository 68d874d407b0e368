"""What all requests of the control API share, and what one of them is for its handler."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from aiohttp import web

from supervisor.control.bodies import read_object
from supervisor.control.options import ControlOptions
from supervisor.control.peer_port import PeerControl
from supervisor.control.port import HostControl
from supervisor.control.streams import Streams


class Access(Enum):
    """By which way a request came."""

    LOCAL = "local"  # over the Unix socket, by who may open it
    REMOTE = "remote"  # over TLS, with the token
    PEER = "peer"  # over TLS with a cluster key: from another host
    PUBLIC = "public"  # without either, for figures alone


@dataclass(slots=True, eq=False)
class Api:
    """Loop thread. One per server, whatever the number of listeners."""

    host: HostControl
    options: ControlOptions
    streams: Streams
    peer: PeerControl | None = None  # None: there is no peer door
    uploading: int = 0
    downloading: int = 0
    kept: set[asyncio.Task[Any]] = field(default_factory=set)

    async def keep[T](self, work: Coroutine[Any, Any, T]) -> T:
        """Its result; the work goes on when the client does not wait for it, so that nothing stays half done."""
        task = asyncio.get_running_loop().create_task(work)
        self.kept.add(task)
        task.add_done_callback(self._forget)
        return await asyncio.shield(task)

    async def settle(self, seconds: float) -> None:
        """Waits for what was kept, and ends what takes longer."""
        if self.kept:
            _, late = await asyncio.wait(set(self.kept), timeout=seconds)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    def _forget(self, task: asyncio.Task[Any]) -> None:
        self.kept.discard(task)
        if not task.cancelled():
            task.exception()  # told to the client, if there is one yet


@dataclass(frozen=True, slots=True)
class Call:
    """A request whose parameters are parsed: `values` has all that its route declares."""

    api: Api
    request: web.Request
    access: Access
    values: Mapping[str, Any]

    @property
    def host(self) -> HostControl:
        """Who is asked."""
        return self.api.host

    @property
    def peer(self) -> PeerControl:
        """Who answers to other hosts."""
        assert self.api.peer is not None  # the peer door has it, and no other leads to who asks for it
        return self.api.peer

    async def document(self) -> dict[str, Any]:
        """The body, which is a JSON object."""
        options = self.api.options
        return await read_object(self.request, limit=options.body_size, timeout_s=options.body_timeout)


type Handler = Callable[[Call], Awaitable[web.StreamResponse]]
