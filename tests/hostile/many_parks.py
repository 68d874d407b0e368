"""Parks many threads in this process while healthy tasks serve, and prints what became of them as one line of JSON.

A program of its own: parked threads never end.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from supervisor.engine.engine import Engine
from supervisor.pool.exchange import RequestRefused
from supervisor.pool.slot import Slot
from tests.hostile.contained import HELLO, LIMITS, Yard, ask, percentile, rss_mib

# What parks: a check of V8's, an allocation that there is no room for in a full heap, a built-in that does not listen.
GIVES_UP = "Array.prototype.toSorted.call({length: 2 ** 32 - 1})"
TOO_LARGE = "a = Array.from({length: 12}, () => new Array(131072).fill(0.5)); /x/.test('y'.repeat(2 ** 26))"
DEAF = "Array.prototype.indexOf.call({length: 2 ** 53 - 1}, 1)"
KINDS = (GIVES_UP, TOO_LARGE, DEAF)
AT_ONCE = 4
# Enough on a slow machine for what comes before the allocation that parks.
PATIENT = {**LIMITS, "cpu": {**LIMITS["cpu"], "request": "250ms", "startup": "500ms"}}
PATIENCE_S = 30.0


def mappings() -> int:
    """Memory mappings of this process."""
    with open("/proc/self/maps", "rb") as file:
        return sum(1 for _ in file)


class Healthy:
    """A task whose every answer is checked and counted."""

    def __init__(self, slot: Slot) -> None:
        self.slot = slot
        self.answers = 0
        self.times: list[float] = []
        self.wrong: list[str] = []

    async def run(self) -> None:
        """Asks it until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            began = loop.time()
            try:
                async with asyncio.timeout(PATIENCE_S):
                    answer = await ask(self.slot)
                if answer.wire.endswith(b"hello"):
                    self.answers += 1
                else:
                    self.wrong.append(f"{self.slot.task_id}: {answer.failure}")
            except (TimeoutError, RequestRefused) as error:
                self.wrong.append(f"{self.slot.task_id}: {error!r}")
            self.times.append(loop.time() - began)
            await asyncio.sleep(0.02)


async def main(parks: int, healthy: int) -> None:
    """Runs it all and ends the process."""
    with tempfile.TemporaryDirectory() as folder:
        async with Engine() as engine:
            yard = Yard(engine, Path(folder), PATIENCE_S, PATIENT)
            await yard.open()
            tasks = [Healthy(yard.slot(HELLO, f"healthy-{number}")) for number in range(healthy)]
            await asyncio.gather(*(task.slot.start() for task in tasks))
            asking = [asyncio.create_task(task.run()) for task in tasks]
            await asyncio.sleep(1.0)
            figures: dict[str, object] = {"quiet_p99_ms": _p99_ms(tasks)}
            before = (rss_mib(), mappings())
            await _park(yard, iter(range(parks)), tasks)
            after = (rss_mib(), mappings())
            await asyncio.sleep(1.0)
            for each in asking:
                each.cancel()
            counts = engine.counts()
            figures |= {
                "parked": counts.parked,
                "answers": sum(task.answers for task in tasks),
                "fewest_answers": min(task.answers for task in tasks),
                "wrong": [text for task in tasks for text in task.wrong][:20] + yard.neighbour.take(),
                "p99_ms": _p99_ms(tasks),
                "rss_mib_each": round((after[0] - before[0]) / max(1, counts.parked), 2),
                "mappings_each": round((after[1] - before[1]) / max(1, counts.parked), 1),
            }
            sys.stdout.write(json.dumps(figures) + "\n")
            sys.stdout.flush()
            os._exit(0)


async def _park(yard: Yard, numbers: Iterator[int], tasks: list[Healthy]) -> None:
    async def one_after_another() -> None:
        for number in numbers:
            # Different sources each time: the same ones would be blocked.
            source = f"/* {number} */ {KINDS[number % len(KINDS)]}"
            script = yard.folder / f"park-{number}.js"
            script.write_text(source)
            found = await yard.run(script, ("boot", "handler")[number // len(KINDS) % 2])
            if found.outcome != "parked" or found.wrong:
                tasks[0].wrong.append(f"{source}: {found}")

    await asyncio.gather(*(one_after_another() for _ in range(AT_ONCE)))


def _p99_ms(tasks: list[Healthy]) -> float:
    return round(percentile(sorted(time for task in tasks for time in task.times), 0.99) * 1000, 2)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--parks", type=int, default=200)
    parser.add_argument("--healthy", type=int, default=50)
    given = parser.parse_args()
    asyncio.run(main(given.parks, given.healthy))
