"""The process that programs are let loose in: reads names of batch files, prints a line of JSON for whatever happens.

It is started by the fuzzer. `run FILE` lets a batch loose, so many at a time; `quit` ends it in good order.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tools.fuzzing.checked import CheckedEngine
from tools.fuzzing.ended import After
from tools.fuzzing.limits import BEAT_S
from tools.fuzzing.program import Program, program_of
from tools.fuzzing.yard import Yard


def say(**what: Any) -> None:
    """One line, at once."""
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


def rss_mib() -> float:
    """Resident memory of this process."""
    pages = Path("/proc/self/statm").read_text().split()[1]
    return int(pages) * os.sysconf("SC_PAGESIZE") / 2**20


async def beat() -> None:
    """Says again and again that the loop goes on."""
    while True:
        say(beat=True)
        await asyncio.sleep(BEAT_S)


def read(file: Path) -> list[Program]:
    """Returns the programs of a batch."""
    return [program_of(each) for each in json.loads(file.read_text())]


async def run_batch(engine: CheckedEngine, yard: Yard, programs: list[Program], at_once: int) -> None:
    """Lets programs loose, so many at a time, and looks after them."""
    gate = asyncio.Semaphore(at_once)

    async def one(program: Program) -> None:
        async with gate:
            say(began=program.name)
            say(ended=asdict(await yard.run(program)))

    await asyncio.gather(*(one(program) for program in programs))
    say(after=asdict(After(engine.counts().parked, round(rss_mib(), 1), tuple(await yard.look()))))


async def serve(at_once: int) -> None:
    """Does what is asked on stdin until it ends."""
    loop = asyncio.get_running_loop()
    with tempfile.TemporaryDirectory(prefix="fuzz-") as folder:
        async with CheckedEngine() as engine:
            loop.set_exception_handler(lambda _, context: engine.wrong.append(f"in the loop: {describe(context)}"))
            yard = Yard(engine, Path(folder))
            await yard.open()
            beating = asyncio.create_task(beat())
            while line := (await asyncio.to_thread(sys.stdin.readline)).strip():
                if line == "quit":
                    break
                await run_batch(engine, yard, read(Path(line.removeprefix("run "))), at_once)
            beating.cancel()
            leave(folder)


def describe(context: dict[str, Any]) -> str:
    """What the loop says of an exception that nobody caught."""
    error = context.get("exception")
    return f"{context.get('message')}: {type(error).__name__}: {error}"


def leave(folder: str) -> None:
    """Ends the process at once: threads that are parked never end, so there is no stopping the engine."""
    shutil.rmtree(folder, ignore_errors=True)
    sys.stdout.flush()
    os._exit(0)


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1])))
