"""Runs console.js in an isolate and prints what it wrote as JSON: {path: [[level, text]]}.

A program of its own because V8 starts once per process.
"""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

from supervisor.engine.engine import Engine
from tests.runtime.js_task import Listener, Task

CASES = Path(__file__).parent / "console.json"
Lines = list[tuple[int, str]]


class ConsoleReader(Listener):
    """Keeps the level of each line too."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: Lines = []

    def on_log(self, level: int, text: bytes) -> None:
        self.lines.append((level, text.decode()))


async def run_all() -> dict[str, Lines]:
    written: dict[str, Lines] = {}
    async with Engine() as engine:
        reader = ConsoleReader()
        task = await Task.start(engine, "console.js", reader)
        for case in json.loads(CASES.read_text()):
            reader.lines = []
            answer = await task.get(case["path"])
            if answer.failure is not None:
                reader.lines.append((3, answer.failure))
            written[case["path"]] = reader.lines
    return written


if __name__ == "__main__":
    sys.stdout.write(json.dumps(asyncio.run(run_all())))
