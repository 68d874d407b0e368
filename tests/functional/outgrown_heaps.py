"""Isolates that outgrow their heap, one after another in one process, while another task answers: prints what was seen.

A program of its own, because it is about a whole process. Argument: how many.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from supervisor.engine.engine import Engine
from tests.engine.programs import Programs

GROW = "const a = []; for (;;) a.push('hello');"
LIMITS = {"mem": {"heap": "10MiB"}}
SETTLED = 20  # of them make what a process makes once, whatever its work


def rss_mib() -> float:
    """Memory of this process in RAM."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


class Neighbour:
    """Asks another task again and again; how long each answer took."""

    def __init__(self, programs: Programs) -> None:
        self._programs = programs
        self.seconds: list[float] = []

    async def ask(self) -> None:
        program = await self._programs.handler("return new Response('fine');")
        while True:
            begun = time.perf_counter()
            assert await program.text() == "fine"
            program.exchanges.clear()  # what tests keep is not what is measured
            self.seconds.append(time.perf_counter() - begun)
            await asyncio.sleep(0.001)


async def outgrow(engine: Engine, folder: Path, count: int) -> dict[str, Any]:
    neighbour = Neighbour(Programs(engine, folder / "neighbour"))
    asking = asyncio.create_task(neighbour.ask())
    reasons: dict[str, int] = {}
    rss: list[float] = []
    for _ in range(count):
        programs = Programs(engine, folder / "grow")  # nothing of it is kept
        end = await programs.exit({"grow.js": GROW}, limits=LIMITS)
        reasons[end.reason.value] = reasons.get(end.reason.value, 0) + 1
        rss.append(rss_mib())
    assert not asking.done(), asking.exception()
    asking.cancel()
    waits = sorted(neighbour.seconds)
    return {
        "reasons": reasons,
        "growth_mib": max(rss[SETTLED:]) - rss[SETTLED - 1],
        "parked": engine.counts().parked,
        "answers": len(waits),
        "p50_ms": waits[len(waits) // 2] * 1000,
        "p99_ms": waits[len(waits) * 99 // 100] * 1000,
    }


async def main(count: int) -> dict[str, Any]:
    async with Engine() as engine:
        with tempfile.TemporaryDirectory() as folder:
            return await outgrow(engine, Path(folder), count)


if __name__ == "__main__":
    sys.stdout.write(json.dumps(asyncio.run(main(int(sys.argv[1])))))
