"""All listening sockets of a process and the connections they took."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
from collections.abc import Collection, Iterable, Mapping, Sequence
from types import TracebackType
from typing import NamedTuple, Self

from supervisor.errors import ListenError
from supervisor.ingress.connection import Connection
from supervisor.ingress.options import IngressOptions
from supervisor.ingress.ports import Port
from supervisor.ingress.server import SharedServer
from supervisor.ingress.sockets import Bound, adopt, bind
from supervisor.ingress.traffic import NetHold, NetUsage, Traffic
from supervisor.pool.exchange import Backend
from supervisor.spec.histogram import Histogram
from supervisor.spec.listen import ListenAddress

# What was accepted just now is a connection a few turns of the loop later: until then nobody knows that it is there.
ACCEPTED_S = 0.02
AGAIN_S = 1.0  # a port that cannot be opened again is tried again

log = logging.getLogger(__name__)

type Given = Mapping[str, Sequence[socket.socket]]


class ListeningSocket(NamedTuple):
    """One for another process to go on with."""

    task_id: str
    asked: ListenAddress  # as the task's settings say; str() of it is the key in Given
    bound: ListenAddress
    sock: socket.socket


class Listeners:
    """Async context: inside it ports can be opened; at its end nothing listens and no connection is left."""

    def __init__(self, options: IngressOptions | None = None) -> None:
        self.options = options or IngressOptions()
        self._ports: list[Port] = []
        self._traffic: dict[str, Traffic] = {}  # by task
        self._opening: set[asyncio.Task[None]] = set()
        self._latencies: dict[str, Histogram] = {}  # by task; ports come and go, counts stay
        self._forgotten = Histogram()  # of tasks that are gone
        self._paused = False
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
        await asyncio.gather(*self._opening)

    async def open(
        self, backend: Backend, addresses: Iterable[ListenAddress], given: Given | None = None
    ) -> tuple[ListenAddress, ...]:
        """Listens for `backend` at all of `addresses`, or at none and raises ListenError.

        `given` has sockets that another process bound, by the text of the address that was asked for; they are ours
        from now on, also if this fails. Returns the addresses as bound: with the port that stands for 0, and one for
        each address of a host name.
        """
        opened: list[Port] = []
        left = {address: list(sockets) for address, sockets in (given or {}).items()}
        try:
            for address in addresses:
                traffic = self._traffic_of(backend.task_id)
                latency = self._latencies.setdefault(backend.task_id, Histogram())
                found = await self._bound(address, left)
                opened += [Port(self._shared(), backend, traffic, address, bound, latency=latency) for bound in found]
            for port in opened:
                await self._listen(port)
                port.traffic.ports.add(port)
        except BaseException:
            self._stop_accepting(opened)
            for sock in (sock for sockets in left.values() for sock in sockets):
                sock.close()
            raise
        self._ports += opened
        return tuple(port.address for port in opened)

    async def _bound(self, address: ListenAddress, left: dict[str, list[socket.socket]]) -> list[Bound]:
        """What was given for an address, or else is bound now."""
        sockets = left.get(str(address))
        if sockets is None:
            # off the loop: a host name may have to be asked for
            return await asyncio.get_running_loop().run_in_executor(None, bind, address, self.options.unix_mode)
        bound = [adopt(address, sock) for sock in sockets]
        sockets.clear()  # an address that stands twice (port 0) has all of its sockets the first time
        return bound

    def close(self, backend: Backend, addresses: Collection[ListenAddress] | None = None) -> None:
        """Stops listening for `backend`, at all addresses or at those of its settings that are given.

        The connections that came in there are retired; those with a request in flight answer it first.
        """
        closed = [port for port in self._of(backend) if addresses is None or port.asked in addresses]
        self._stop_accepting(closed)
        for connection in self._connections():
            if connection.port in closed:
                connection.retire()
        self._shared().abort_parked(closed)

    # -- from one task, or one slot of a task, to another -----------------------------------------------------------

    def swap(self, old: Backend, new: Backend) -> None:
        """Gives ports and connections to another task: it answers the next request on each of them.

        What is in flight stays with the one that took it.
        """
        traffic = self._traffic_of(new.task_id)
        for port in self._of(old):
            port.backend = new
            if port.traffic is not traffic:
                self._count_for(port, traffic)
        if old.task_id in self._latencies and new.task_id not in self._latencies:
            self._latencies[new.task_id] = self._latencies.pop(old.task_id)

    def _count_for(self, port: Port, traffic: Traffic) -> None:
        port.traffic.ports.discard(port)
        port.traffic = traffic
        traffic.ports.add(port)
        for connection in self._connections():
            if connection.port is port:
                connection.change_hands(traffic)

    async def move(
        self, old: Backend, new: Backend, addresses: Collection[ListenAddress]
    ) -> tuple[ListenAddress, ...]:  # fmt: skip
        """Listens for `new` at `addresses`: what `old` has of them changes hands, the others are opened or closed.

        A port that `old` got as any free one and `new` asks for by its number is kept, too. ListenError: then nothing
        has changed. Returns the addresses as bound.
        """
        named = {
            port: port.asked for port in self._of(old) if port.address in addresses and port.asked not in addresses
        }
        for port in named:
            port.asked = port.address
        kept = {port.asked for port in self._of(old)}
        try:
            await self.open(new, [address for address in addresses if address not in kept])
        except BaseException:
            for port, asked in named.items():
                port.asked = asked
            raise
        self.close(old, [address for address in kept if address not in addresses])
        self.swap(old, new)
        order = list(addresses)
        return tuple(port.address for port in sorted(self._of(new), key=lambda port: order.index(port.asked)))

    # -- from one process to another --------------------------------------------------------------------------------

    def pause(self) -> None:
        """Accepts nothing until resume(), at open ports and at those opened meanwhile: connections wait in line."""
        self._paused = True
        for port in self._ports:
            port.pause()

    async def resume(self) -> None:
        """Accepts again, and first of all what waits."""
        self._paused = False
        for port in self._ports:
            if port.listening is None and not port.traffic.is_shut:
                await self._listen(port)

    def sockets(self) -> list[ListeningSocket]:
        """All listening sockets; they stay ours."""
        return [
            ListeningSocket(port.backend.task_id, port.asked, port.address, port.bound.sock) for port in self._ports
        ]

    def release(self) -> None:
        """Leaves all ports to another process that has their sockets too: connections go on, Unix sockets stay."""
        ports, self._ports = self._ports, []
        for port in ports:
            port.release()
            port.traffic.ports.discard(port)

    # -- what a task may use ----------------------------------------------------------------------------------------

    def limit(self, task_id: str, hold: NetHold) -> None:
        """Holds a task's connections to that: those that are open and those to come, at ports to come as well.

        If more are open than there may be, they stay, and no others are taken. A process that was handed over counts
        those that it took itself.
        """
        traffic = self._traffic_of(task_id)
        traffic.change(hold, [each for each in self._connections() if each.traffic is traffic])

    def usage(self, task_id: str) -> NetUsage:
        """What a task's clients did in this process; nothing if it is not known."""
        traffic = self._traffic.get(task_id)
        return NetUsage(0, 0, 0, 0, 0.0) if traffic is None else traffic.usage()

    def _traffic_of(self, task_id: str) -> Traffic:
        traffic = self._traffic.get(task_id)
        if traffic is None:
            traffic = self._traffic[task_id] = Traffic(
                task_id,
                asyncio.get_running_loop(),
                self._shared().read_into,
                in_line=self.options.full_task == "backlog",
                open_doors=self._open_doors,
            )
        return traffic

    def _open_doors(self, traffic: Traffic) -> None:
        task = asyncio.ensure_future(self._accept_again(traffic))
        self._opening.add(task)
        task.add_done_callback(self._opening.discard)

    async def _accept_again(self, traffic: Traffic) -> None:
        """There is room in a task that was full: takes those that waited in its sockets."""
        for port in [*traffic.ports]:
            while port in traffic.ports and port.listening is None and not traffic.is_shut:
                try:
                    await self._listen(port)
                    break
                except ListenError as error:  # no file or memory for it now
                    log.warning("a port is opened again later: %s", error)
                    await asyncio.sleep(AGAIN_S)

    # -- what there is ----------------------------------------------------------------------------------------------

    def addresses(self, backend: Backend) -> tuple[ListenAddress, ...]:
        """Where a task is listened for, as bound."""
        return tuple(port.address for port in self._of(backend))

    def connections(self) -> Mapping[ListenAddress, int]:
        """How many connections each open port has now."""
        return {port.address: port.connections for port in self._ports}

    @property
    def connection_count(self) -> int:
        """How many connections are open, at ports that were closed too."""
        return len(self._connections())

    @property
    def turned_away(self) -> int:
        """How many connections were refused because options.connections were open."""
        return self._shared().turned_away

    def latencies(self) -> Mapping[str, Histogram]:
        """How long answers took, by task id, at ports that were closed too."""
        return self._latencies

    def latency(self) -> Histogram:
        """The same of all tasks, forgotten ones too: its counts never fall."""
        return Histogram.merged([self._forgotten, *self._latencies.values()])

    def forget(self, task_id: str) -> None:
        """A task is gone, and nothing listens for it: its latencies go into the sum of all, its limits go."""
        self._traffic.pop(task_id, None)
        gone = self._latencies.pop(task_id, None)
        if gone is not None:
            self._forgotten = Histogram.merged([self._forgotten, gone])

    # -- the end ----------------------------------------------------------------------------------------------------

    async def drain(self, timeout_s: float, *, idle_grace_s: float | None = None) -> None:
        """Stops accepting, answers what is in flight and returns when no connection is left.

        Answers from now on announce the connection's end; idle connections are closed, in place of
        options.idle_grace after `idle_grace_s`. What is left after `timeout_s` is cut off.
        """
        server = self._shared()
        server.draining = True
        if idle_grace_s is not None:
            server.idle_grace = idle_grace_s
        self._stop_accepting(self._ports)
        for connection in self._connections():
            connection.retire()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                await asyncio.sleep(ACCEPTED_S)
                await server.wait_empty()
        self.abort_all()
        await server.wait_empty()

    def abort_all(self) -> None:
        """Cuts all connections now, whatever is in flight on them."""
        for connection in self._connections():
            connection.abort()
        self._shared().abort_surplus()

    async def _listen(self, port: Port) -> None:
        """Accepts at a port; while paused or while its task is full only listens: it fails now or not at all."""
        try:
            if self._paused or port.traffic.is_shut:
                port.bound.sock.listen(self.options.backlog)
            else:
                port.listening = await self._serve(port)
        except OSError as error:  # SO_REUSEADDR lets two sockets bind a port, and only one listen
            raise ListenError.from_os_error(str(port.address), error) from error

    async def _serve(self, port: Port) -> asyncio.Server:
        loop, sock, backlog = asyncio.get_running_loop(), port.bound.sock, self.options.backlog
        if port.address.kind == "unix":  # its file is removed by Bound, or left to another process
            return await loop.create_unix_server(
                lambda: Connection(port), sock=sock, backlog=backlog, cleanup_socket=False
            )
        return await loop.create_server(lambda: Connection(port), sock=sock, backlog=backlog)

    def _stop_accepting(self, ports: Iterable[Port]) -> None:
        for port in list(ports):
            port.stop_accepting()
            port.traffic.ports.discard(port)
            if port in self._ports:
                self._ports.remove(port)

    def _of(self, backend: Backend) -> list[Port]:
        return [port for port in self._ports if port.backend is backend]

    def _shared(self) -> SharedServer:
        if self._server is None:
            raise RuntimeError("Listeners is an async context: use it inside `async with`")
        return self._server

    def _connections(self) -> list[Connection]:
        return self._shared().connections  # type: ignore[return-value]
