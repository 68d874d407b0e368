"""Isolates of isolated, through its engine. Arguments: starts COUNT | idle COUNT (contract: program.py).

The folder it runs in holds app.mjs.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import uvloop

from supervisor.engine.engine import Engine
from supervisor.engine.exchange import Answered
from supervisor.engine.isolate import End
from supervisor.spec.exits import Exit
from supervisor.spec.task import TaskSpec

HEADERS = b"host\nlocalhost\nuser-agent\nbench\naccept\n*/*\n"
WAIT_SECONDS = 30.0  # for any one step of one isolate: a thousand times what it should take


class Life:
    """One isolate from its making to its end. It gets one request in the moment it is ready, as the host does it."""

    def __init__(self, engine: Engine) -> None:
        loop = asyncio.get_running_loop()
        self.warm: asyncio.Future[None] = loop.create_future()
        self.answered: asyncio.Future[float] = loop.create_future()  # the time of the answer
        self.over: asyncio.Future[None] = loop.create_future()
        self.isolate = engine.create(self)

    def on_warm(self, microseconds: int) -> None:
        """It may be booted."""
        self.warm.set_result(None)

    def on_ready(self, microseconds: int, *, has_handler: bool) -> None:
        """Sends the request; one per isolate, so the isolate's id is a number for it that no other has."""
        self.isolate.request(self.isolate.id, _Answer(self), 0, b"GET", b"/", HEADERS, b"")

    def on_log(self, level: int, text: bytes) -> None:
        """Passes on what the program says: it should say nothing."""
        sys.stderr.write(text.decode())

    def on_failed(self, number: int, exchange: Answered, message: bytes) -> None:
        """Ends the benchmark with the reason."""
        self.answered.set_exception(RuntimeError(f"no answer: {message.decode()}"))

    def on_exit(self, end: Exit) -> None:
        """Lets go of everybody who waits."""
        self.over.set_result(None)
        if not self.answered.done():
            self.answered.set_exception(RuntimeError(end.describe()))


class _Answer:
    """Takes the response, which comes whole: the program's body is a string."""

    def __init__(self, life: Life) -> None:
        self._answered = life.answered

    def response(self, wire: bytes, *_close: object) -> None:
        if wire.startswith(b"HTTP/1.1 200") and wire.endswith(b"hello"):
            self._answered.set_result(time.perf_counter())
        else:
            self._answered.set_exception(RuntimeError(f"a wrong answer: {wire!r}"))

    def response_head(self, wire: bytes, *_close: object) -> None:
        self._answered.set_exception(RuntimeError(f"a streamed answer: {wire!r}"))

    def response_body(self, wire: bytes, cost: int) -> None:
        pass

    def response_end(self, wire: bytes) -> None:
        pass

    def body_credit(self, size: int) -> None:
        pass

    def body_cancel(self) -> None:
        pass


def task() -> TaskSpec:
    """Returns the settings of app.mjs here, with the limits that a task has by default."""
    return TaskSpec(task_id="bench", pwd=str(Path.cwd()), main_path="app.mjs")


async def end(life: Life) -> None:
    """Ends an isolate and waits until its thread is gone."""
    life.isolate.end(End.DRAINED)
    await asyncio.wait_for(life.over, WAIT_SECONDS)


async def cold(engine: Engine, spec: TaskSpec) -> float:
    """Returns the milliseconds from making an isolate to its first answer."""
    begin = time.perf_counter()
    life = Life(engine)
    life.isolate.boot(spec)
    answered = await asyncio.wait_for(life.answered, WAIT_SECONDS)
    await end(life)
    return (answered - begin) * 1e3


async def warm(engine: Engine, spec: TaskSpec) -> float:
    """Returns the milliseconds from the boot of an isolate that waits in the warm pool to its first answer."""
    life = Life(engine)
    await asyncio.wait_for(life.warm, WAIT_SECONDS)
    begin = time.perf_counter()
    life.isolate.boot(spec)
    answered = await asyncio.wait_for(life.answered, WAIT_SECONDS)
    await end(life)
    return (answered - begin) * 1e3


async def prime(engine: Engine, count: int) -> None:
    """Lets isolates come and go unmeasured: what only the first of a process pay is no property of an isolate."""
    for _ in range(count):
        await cold(engine, task())


async def starts(count: int) -> None:
    """Times isolates one after another."""
    spec = task()
    async with Engine() as engine:
        await prime(engine, 3)
        times = {
            "cold": [await cold(engine, spec) for _ in range(count)],
            "warm pool": [await warm(engine, spec) for _ in range(count)],
        }
    print(json.dumps(times), flush=True)


async def idle(count: int) -> None:
    """Holds isolates until stdin ends."""
    spec = task()
    async with Engine() as engine:
        await prime(engine, 1)
        begin = time.perf_counter()
        for _ in range(count):
            life = Life(engine)
            life.isolate.boot(spec)
            await asyncio.wait_for(life.answered, WAIT_SECONDS)
        print(json.dumps({"seconds": time.perf_counter() - begin}), flush=True)
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


PROGRAMS: dict[str, Callable[[int], Awaitable[None]]] = {"starts": starts, "idle": idle}


async def main() -> None:
    """Runs what the arguments name."""
    await PROGRAMS[sys.argv[1]](int(sys.argv[2]))


if __name__ == "__main__":
    uvloop.run(main())
