"""Tenants of isolated, through its engine. Arguments: tenants FILE MIB (contract: program.py).

Runs in an empty folder, which is left with the tenants' sources in it.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import sys
from pathlib import Path
from typing import Any

import uvloop

from supervisor.engine.engine import Engine
from supervisor.engine.exchange import Answered
from supervisor.spec.exits import Exit
from supervisor.spec.task import TaskSpec

HEADERS = b"host\nlocalhost\nuser-agent\nbench\naccept\n*/*\n"
NUMBERS = itertools.count(1)  # of requests, unique in the process


class Tenant:
    """One isolate, from its boot to its end."""

    def __init__(self, engine: Engine, spec: TaskSpec) -> None:
        self._ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting: dict[int, asyncio.Future[bytes]] = {}
        self.over: asyncio.Future[Exit] = asyncio.get_running_loop().create_future()
        self._isolate = engine.create(self)
        self._isolate.boot(spec)

    async def ask(self, target: bytes = b"/") -> bytes:
        """Returns the response as on the wire. Raises RuntimeError with the program's error, or the exit's reason."""
        await self._ready
        number = next(NUMBERS)
        waiting: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self._waiting[number] = waiting
        if not self._isolate.request(number, _Answer(waiting), 0, b"GET", target, HEADERS, b""):
            waiting.set_exception(RuntimeError("it is over"))
        try:
            return await waiting
        finally:
            del self._waiting[number]

    def on_warm(self, microseconds: int) -> None:
        """The boot is under way already."""

    def on_ready(self, microseconds: int, *, has_handler: bool) -> None:
        """It takes requests."""
        self._ready.set_result(None)

    def on_log(self, level: int, text: bytes) -> None:
        """Passes on what the program says."""
        sys.stderr.write(text.decode() + "\n")

    def on_failed(self, number: int, exchange: Answered, message: bytes) -> None:
        """The program threw."""
        self._fail(self._waiting[number], message.decode())

    def on_exit(self, end: Exit) -> None:
        """Lets go of everybody who waits."""
        self.over.set_result(end)
        waiting: list[asyncio.Future[Any]] = [self._ready, *self._waiting.values()]
        for each in waiting:
            self._fail(each, end.describe())

    @staticmethod
    def _fail(waiting: asyncio.Future[Any], reason: str) -> None:
        if not waiting.done():
            waiting.set_exception(RuntimeError(reason))


class _Answer:
    """Takes the response, which comes whole: the program's body is a string."""

    def __init__(self, waiting: asyncio.Future[bytes]) -> None:
        self._waiting = waiting

    def response(self, wire: bytes, *_close: object) -> None:
        self._waiting.set_result(wire)

    def response_head(self, wire: bytes, *_close: object) -> None:
        self._waiting.set_exception(RuntimeError(f"a streamed answer: {wire!r}"))

    def response_body(self, wire: bytes, cost: int) -> None:
        pass

    def response_end(self, wire: bytes) -> None:
        pass

    def body_credit(self, size: int) -> None:
        pass

    def body_cancel(self) -> None:
        pass


PROGRAM = """export default {
  fetch(request) {
    if (new URL(request.url).pathname === '/go') run()
    return new Response('hello')
  },
}
function run() {
%s
}
"""


def program_of(script: str) -> str:
    """Reads a script and makes a program of it that runs it on request."""
    return PROGRAM % Path(script).read_text(encoding="utf-8")


def spec_of(source: str, limits: object) -> TaskSpec:
    """Writes the program into this folder and returns its task."""
    Path("main.mjs").write_text(source, encoding="utf-8")
    return TaskSpec.model_validate(
        {"taskId": "bench", "pwd": str(Path.cwd()), "mainPath": "main.mjs", "limits": limits}
    )


def say(event: str, how: str = "", reason: str = "") -> None:
    """Writes one event."""
    print(json.dumps({"event": event, "how": how, "reason": reason}), flush=True)


async def answer(tenant: Tenant, event: str) -> None:
    """Says the event when the tenant has answered; nothing if it cannot."""
    try:
        if (await tenant.ask()).endswith(b"hello"):
            say(event)
    except RuntimeError as error:
        print(f"no answer: {error}", file=sys.stderr)


async def go(tenant: Tenant) -> None:
    """Lets the script loose and says how it ended."""
    try:
        await tenant.ask(b"/go")
        say("over", "returned")
    except RuntimeError as error:
        if tenant.over.done():
            end = tenant.over.result()
            say("over", "limit", end.reason + (", parked" if end.parked else ""))
        else:
            say("over", "exception", str(error).splitlines()[0])


async def tenants(script: str, limit_mib: str) -> None:
    """Does what stdin says, until its end."""
    # Only memory is limited, as with the others: an account of CPU time would end some of the scripts sooner.
    limits = {"mem": {"heap": f"{limit_mib}MiB", "external": f"{limit_mib}MiB"}, "cpu": {"request": None, "wall": None}}
    spec = spec_of(program_of(script), limits)
    lines = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    engine = await Engine().__aenter__()
    hostile, neighbour = Tenant(engine, spec), Tenant(engine, spec)
    await asyncio.gather(hostile.ask(), neighbour.ask())
    say("ready")
    under_way = set()
    while word := await lines.readline():
        doings = {b"go": lambda: go(hostile), b"ask": lambda: answer(neighbour, "answer")}
        doings[b"fresh"] = lambda: answer(Tenant(engine, spec), "fresh")
        doing = loop.create_task(doings[word.strip()]())
        under_way.add(doing)
        doing.add_done_callback(under_way.discard)
    os._exit(0)  # a parked thread never ends, and nothing is left to tidy


if __name__ == "__main__":
    uvloop.run(tenants(*sys.argv[2:]))
