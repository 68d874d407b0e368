"""Many isolates alive in one process, then none: prints what the process was made of before, meanwhile and after.

A program of its own, because it is about a whole process. Argument: how many.
"""

from __future__ import annotations

import asyncio
import ctypes
import gc
import json
import os
import sys
import tempfile
from pathlib import Path

from supervisor.engine.engine import Engine
from tests.engine.programs import Program, Programs

READERS = 3  # FileReader::kMostIdle, and one that may just be starting

HELLO = "export default { fetch: () => new Response('hello') };"


def figures(engine: Engine) -> dict[str, float]:
    """What the system and the library say of this process."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    counts = engine.counts()
    return {
        "rss_mib": pages * os.sysconf("SC_PAGE_SIZE") / 2**20,
        "mappings": len(Path("/proc/self/maps").read_text().splitlines()),
        "threads": len(os.listdir("/proc/self/task")),
        "files": len(os.listdir("/proc/self/fd")),
        "isolates": counts.isolates,
        "isolate_threads": counts.threads,
        "records": counts.records,
    }


async def _wait_threads(engine: Engine, count: int) -> None:
    """A thread is over a moment after its isolate's last record; those that read files stay, for the next one."""
    while engine.counts().threads != count or len(os.listdir("/proc/self/task")) > count + _others + READERS:
        await asyncio.sleep(0.005)


async def _wait_pages() -> None:
    """V8 keeps pages of an isolate that is gone for about eight seconds, in case another wants them."""
    most, patience_s, last = 1000, 60, -1
    for _ in range(patience_s):
        now = len(Path("/proc/self/maps").read_text().splitlines())
        if now < most and now == last:  # it is not in the middle of giving them back
            return
        last = now
        await asyncio.sleep(1)


async def alive(programs: Programs, count: int) -> list[Program]:
    """So many that have all answered, and answer again while all are alive."""
    made = [programs.begin(HELLO) for _ in range(count)]
    for program in made:
        await program.until(lambda heard: heard.ready_us is not None)
    for _ in range(2):
        for program in made:
            assert await program.text() == "hello"
    return made


async def main(count: int) -> dict[str, dict[str, float]]:
    global _others
    found = {}
    async with Engine() as engine:
        with tempfile.TemporaryDirectory() as folder:
            _others = len(os.listdir("/proc/self/task"))
            # What a process makes once, whatever its work, is there after the first hundred: malloc's arenas, caches.
            for stage, number in (("before", 100), ("after", count)):
                programs = Programs(engine, Path(folder) / stage)
                await alive(programs, number)
                found["meanwhile"] = figures(engine)
                await programs.end_all()
                await _wait_threads(engine, 0)
                await _wait_pages()
                del programs
                gc.collect()
                _libc.malloc_trim(0)  # what malloc keeps for the next one is not what is in use
                found[stage] = figures(engine)
    return found


_others = 0
_libc = ctypes.CDLL(None)

if __name__ == "__main__":
    sys.stdout.write(json.dumps(asyncio.run(main(int(sys.argv[1])))))
