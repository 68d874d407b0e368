"""A program that is started as a successor and does what its first argument says; well until then."""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
import time

from supervisor.handover.channel import Channel
from supervisor.handover.environment import HANDOVER_FD
from supervisor.handover.protocol import VERSIONS, Side, Word

ODDITY = sys.argv[1]
LONG_S = 60


def stay() -> None:
    time.sleep(LONG_S)


def hello(**changed: object) -> dict[str, object]:
    return {"pid": os.getpid(), "program": "0", "versions": list(VERSIONS), **changed}


async def talk(sock: socket.socket) -> None:
    channel = Channel(sock, Side.SUCCESSOR)
    await channel.send(Word.HELLO, hello(**{"versions": [99]} if ODDITY == "foreign" else {}))
    if ODDITY == "foreign":
        stay()
    while (await channel.receive()).word is not Word.BOOT:
        if channel.phase.value == "sending":
            await channel.send(Word.TAKEN)
    sys.stderr.write("one\ntwo \x1b[31mred\nthree")
    sys.stderr.flush()
    if ODDITY == "crashes":
        sys.exit(9)
    if ODDITY == "gives-up":
        await channel.send(Word.FAILED, {"why": "no\nroom"})
        sys.exit(1)
    if ODDITY == "sleeps":
        stay()
    if ODDITY == "leaves-a-child":
        subprocess.Popen(  # noqa: ASYNC220  # nothing waits here
            [sys.executable, __file__, "silent"], pass_fds=(sock.fileno(),)
        )
        sys.exit(5)
    await channel.send(Word.READY, {"tasks": 3})
    await channel.receive()
    if ODDITY == "ignores-commit":
        stay()
    if ODDITY == "gives-up-late":
        await channel.send(Word.FAILED, {"why": "late"})
        sys.exit(1)
    await channel.send(Word.COMMITTED)


def main() -> None:
    if ODDITY == "silent":
        stay()
    sock = socket.socket(fileno=int(os.environ[HANDOVER_FD]))
    if ODDITY == "garbage":
        sock.sendall(b"GET / HTTP/1.1\r\n\r\n")
        stay()
    if ODDITY == "launcher":
        sys.exit(subprocess.run([sys.executable, __file__, "well"], pass_fds=(sock.fileno(),), check=False).returncode)
    asyncio.run(talk(sock))


if __name__ == "__main__":
    main()
