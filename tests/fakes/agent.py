"""A stand-in for Serf's agent: an RPC on loopback whose answers a test chooses."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from supervisor.cluster.serf.codec import Decoder, encode
from supervisor.cluster.serf.options import Rpc

TOKEN = "t0ken"
BODILESS = {"members", "stats", "leave", "list-keys"}  # requests that are a header alone


@dataclass(slots=True)
class Asked:
    """A request and how to answer it."""

    command: str
    seq: int
    body: Any
    write: Callable[[bytes], object]

    def answer(self, *bodies: Any, error: str = "") -> None:
        """A header, and what follows it, in one piece."""
        self.write(b"".join(map(encode, ({"Seq": self.seq, "Error": error}, *bodies))))


@dataclass(slots=True)
class FakeAgent:
    """Answers handshakes by itself; everything else waits in `asked`."""

    rpc: Rpc = field(default_factory=lambda: Rpc(0, TOKEN))
    asked: asyncio.Queue[Asked] = field(default_factory=asyncio.Queue)
    writers: list[asyncio.StreamWriter] = field(default_factory=list)

    def drop(self) -> None:
        """Ends all connections."""
        for writer in self.writers:
            writer.transport.abort()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One client."""
        self.writers.append(writer)
        decoder, header = Decoder(), None
        while data := await reader.read(4096):
            for value in decoder.feed(data):
                if header is None:
                    header = value
                    if header[b"Command"].decode() not in BODILESS:
                        continue
                    value = None  # noqa: PLW2901
                self._take(Asked(header[b"Command"].decode(), header[b"Seq"], value, writer.write))
                header = None

    def _take(self, asked: Asked) -> None:
        if asked.command == "handshake":
            asked.answer()
        elif asked.command == "auth":
            right = asked.body[b"AuthKey"].decode() == TOKEN
            asked.answer(error="" if right else "Invalid authentication token")
        else:
            self.asked.put_nowait(asked)


@asynccontextmanager
async def fake_agent() -> AsyncIterator[FakeAgent]:
    """Listens until left."""
    agent = FakeAgent()
    server = await asyncio.start_server(agent.serve, "127.0.0.1", 0)
    agent.rpc = Rpc(server.sockets[0].getsockname()[1], TOKEN)
    try:
        yield agent
    finally:
        agent.drop()
        server.close()
        await server.wait_closed()
