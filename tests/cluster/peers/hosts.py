"""Hosts that talk to each other: a control API with a peer door over a fake door, and the wire to it."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from supervisor.cluster.keys import ClusterKey
from supervisor.cluster.peers.answering import Answering
from supervisor.cluster.peers.calls import CallTimes
from supervisor.cluster.peers.psk import KeyRing
from supervisor.cluster.values import HostState, Member, MemberState
from supervisor.control.options import ControlOptions, PeerOptions
from supervisor.control.server import ControlServer
from supervisor.errors import Refused
from supervisor.spec.listen import ListenAddress
from supervisor.state.bundles import Bundles
from tests.fakes.control import FakeHost
from tests.fakes.door import FakeDoor

KEY, OTHER = (ClusterKey(bytes(range(n, n + 32))) for n in (0, 50))

PATIENT = CallTimes(call=60.0, boot=60.0)  # for calls that have to be answered, however busy the machine is


def member(name: str, port: int, address: str = "127.0.0.1") -> Member:
    """A host as its peers see it, at a port of this machine."""
    return Member(name, 1.0, f"{address}:{port}", MemberState.ALIVE, HostState.UP, True, "image-1", 0.0)


@dataclass(slots=True)
class Peer:
    """A host that answers to its peers."""

    name: str
    bundles: Bundles
    host: FakeHost = field(default_factory=FakeHost)
    door: FakeDoor = field(default_factory=FakeDoor)
    ring: KeyRing = field(default_factory=lambda: KeyRing([KEY]))
    port: int = 0
    busy: int = 0  # how often a bundle is not sent for now

    @property
    def member(self) -> Member:
        return member(self.name, self.port)

    async def open_bundle(self, digest: str) -> BinaryIO:
        if self.busy > 0:
            self.busy -= 1
            raise Refused("16 bundles are sent already")
        packed = await asyncio.to_thread(self.bundles.pack, digest)
        return packed.file


@asynccontextmanager
async def peer(folder: Path, name: str = "host-1") -> AsyncIterator[Peer]:
    """One at work."""
    made = Peer(name, Bundles(folder / f"{name}-bundles"))
    options = ControlOptions(
        socket=folder / f"{name}.sock",
        uploads=folder / f"{name}-uploads",
        peers=PeerOptions(ListenAddress("tcp", "127.0.0.1", 0), made.ring.server_context()),
        grace=1.0,
    )
    control = Answering(made.door, made.open_bundle)
    async with ControlServer(made.host, options, peer=control) as server:
        made.port = int(server.addresses[-1].rpartition(":")[2])
        yield made


@contextmanager
def nobody() -> Iterator[int]:
    """A port of this machine that is taken and nobody listens at."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        yield sock.getsockname()[1]


@asynccontextmanager
async def saying(data: bytes) -> AsyncIterator[int]:
    """The port of something that has the key, and answers every request with these bytes."""

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(data)
            await writer.drain()
        except OSError, asyncio.IncompleteReadError:
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(connected, "127.0.0.1", 0, ssl=KeyRing([KEY]).server_context())
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


def answer(body: bytes, status: str = "200 OK", media: str = "application/json", length: int | None = None) -> bytes:
    """An answer as bytes."""
    size = len(body) if length is None else length
    return f"HTTP/1.1 {status}\r\nContent-Type: {media}\r\nContent-Length: {size}\r\n\r\n".encode() + body
