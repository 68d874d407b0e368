"""A wire that somebody listens at: passes bytes on between a client and a server, and keeps all of them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field


@dataclass(slots=True)
class Recording:
    """What went over one connection."""

    sent: bytearray = field(default_factory=bytearray)  # by the client
    received: bytearray = field(default_factory=bytearray)  # by the client


@dataclass(slots=True)
class Relay:
    """Listens at `port` of 127.0.0.1 for `to`."""

    to: int
    port: int = 0
    recordings: list[Recording] = field(default_factory=list)
    ends: list[asyncio.StreamWriter] = field(default_factory=list)

    def cut(self) -> None:
        """All connections end, at both sides."""
        for each in self.ends:
            each.close()
        self.ends.clear()

    @property
    def everything(self) -> bytes:
        return b"".join(bytes(each.sent + each.received) for each in self.recordings)


@asynccontextmanager
async def relay(to: int) -> AsyncIterator[Relay]:
    """A relay to the port `to` of this machine."""
    made = Relay(to)
    pumps: set[asyncio.Task[None]] = set()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        recording = Recording()
        made.recordings.append(recording)
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", to)
        made.ends += [writer, far_writer]
        for task in (
            asyncio.create_task(_pump(reader, far_writer, recording.sent)),
            asyncio.create_task(_pump(far_reader, writer, recording.received)),
        ):
            pumps.add(task)

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    made.port = server.sockets[0].getsockname()[1]
    try:
        yield made
    finally:
        server.close()
        for task in pumps:
            task.cancel()
        await asyncio.gather(*pumps, return_exceptions=True)


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, kept: bytearray) -> None:
    try:
        while data := await reader.read(65536):
            kept += data
            writer.write(data)
            await writer.drain()
    except ConnectionError:
        pass  # one of the two has gone; so does the other
    finally:
        writer.close()
