"""A host of one line per connection: it answers its generation and hands over on SIGUSR2. Tells what it does on stdout.

Environment: MINI_SOCKETS (how many it listens on), MINI_KILL ("GENERATION before|after WORD": kills itself with
SIGKILL around saying that word), MINI_EXIT (code to exit with when drained), MINI_FAIL (generation that gives up while
it boots), MINI_HOLD (seconds that a connection stays open after its answer), MINI_READY (ready_s).
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import sys
from collections.abc import Mapping, Sequence
from typing import Any

import uvloop

from supervisor.errors import ControlError
from supervisor.handover.channel import Channel
from supervisor.handover.environment import handovers
from supervisor.handover.offer import Offer
from supervisor.handover.predecessor import Predecessor
from supervisor.handover.protocol import Word
from supervisor.handover.relay import Relay
from supervisor.handover.successor import PredecessorLost, Successor

GENERATION = handovers(os.environ)
DRAIN_S = 5.0


def say(said: str, **fields: Any) -> None:
    line = json.dumps({"said": said, "pid": os.getpid(), "generation": GENERATION, **fields}) + "\n"
    os.write(1, line.encode())


class DeadlyChannel(Channel):
    """Its process dies around a word."""

    async def send(self, word: Word, body: Mapping[str, Any] | None = None, handles: Sequence[int] = ()) -> None:
        self._point(f"{GENERATION} before {word}")
        await super().send(word, body, handles)
        self._point(f"{GENERATION} after {word}")

    def _point(self, name: str) -> None:
        if os.environ.get("MINI_KILL") == name:
            say("killed")
            os.kill(os.getpid(), signal.SIGKILL)


class MiniHost:
    def __init__(self) -> None:
        self.sockets: list[socket.socket] = []
        self.servers: list[asyncio.Server] = []
        self.open: set[asyncio.Task[None]] = set()
        self.stop = asyncio.Event()
        self.predecessor = Predecessor()

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self.open.add(task)
        try:
            await reader.readline()
            writer.write(b"%d\n" % GENERATION)
            await writer.drain()
            await asyncio.sleep(float(os.environ.get("MINI_HOLD", "0")))
        except ConnectionError:
            pass
        finally:
            writer.close()
            self.open.discard(task)

    def hear_signals(self) -> None:
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGTERM, self.stop.set)
        loop.add_signal_handler(signal.SIGINT, self.stop.set)
        loop.add_signal_handler(signal.SIGUSR2, lambda: setattr(self, "upgrading", asyncio.create_task(self.upgrade())))

    async def serve(self) -> None:
        for sock in self.sockets:
            # a copy, as asyncio closes what it was given and this process may have to hand it over afterwards
            self.servers.append(await asyncio.start_server(self.answer, sock=sock.dup(), backlog=512))
        say("host", ports=[sock.getsockname()[1] for sock in self.sockets])

    async def upgrade(self) -> None:
        offer = Offer({"text": "grüße"}, tuple(("a", sock) for sock in self.sockets))
        try:
            ready_s = float(os.environ.get("MINI_READY", "60"))
            await self.predecessor.run(
                [sys.executable, __file__], offer, ready_s, last_words=lambda: {"from": GENERATION}
            )
        except ControlError as error:
            say(error.kind, why=str(error))
        else:
            self.stop.set()

    async def drain(self) -> None:
        for server in self.servers:
            server.close()
        await asyncio.sleep(0.02)
        for _ in range(10):  # what was accepted already gets its task in one of the loop's next turns
            await asyncio.sleep(0)
        while self.open:
            await asyncio.wait(self.open, timeout=DRAIN_S)


async def main() -> int:
    host = MiniHost()
    host.hear_signals()
    successor = Successor.from_environment()
    if successor is None:
        for _ in range(int(os.environ.get("MINI_SOCKETS", "2"))):
            sock = socket.socket()
            sock.bind(("127.0.0.1", 0))
            sock.listen(512)
            host.sockets.append(sock)
    else:
        say("started")
        try:
            offered = await successor.offer()
            host.sockets = [sock for _, sock in offered.sockets]
            assert offered.manifest == {"text": "grüße"}
            if os.environ.get("MINI_FAIL") == str(GENERATION):
                sys.stderr.write("the last line\n")
                await successor.give_up("it does not want to")
                return 3
            await successor.boot(asyncio.sleep(0.05))
            await successor.ready({"tasks": len(host.sockets)})
            say("committed", last_words=dict(await successor.committed()))
        except PredecessorLost as error:
            say("lost", why=str(error))
            return 4
    await host.serve()
    await host.stop.wait()
    if host.predecessor.handed is None:
        await host.drain()
        say("stopped")
        return int(os.environ.get("MINI_EXIT", "0"))
    async with Relay(host.predecessor.handed) as relay:
        say("relaying")
        await host.drain()
        say("drained")
        return await relay.finish()


if __name__ == "__main__":
    for module in ("predecessor", "successor"):
        sys.modules[f"supervisor.handover.{module}"].Channel = DeadlyChannel  # type: ignore[attr-defined]
    sys.exit(uvloop.run(main()))
