"""Harms a real host as no program can, prints what the fuzzer sees. A process of its own: threads are lost."""

from __future__ import annotations

import asyncio
import ctypes
import json
import os
import signal
import sys
import tempfile
import time
from pathlib import Path

from tools.fuzzing.checked import CheckedEngine
from tools.fuzzing.program import Program, Way
from tools.fuzzing.yard import Yard

SYS_TGKILL = 234  # on x86-64
OWN_S = 0.005  # so long the runtime itself is never at work in one go: it is the program
SPIN = Program("spin", Way.BOOT, "main.js", {"main.js": b"for (;;);"})


async def fault(yard: Yard) -> None:
    """A thread accesses memory that is not its own."""
    running = asyncio.create_task(yard.run(SPIN))
    thread = None
    while not thread:
        await asyncio.sleep(0.001)
        slots = [slot for name, slot in yard._pool.slots.items() if name.startswith("spin")]
        figures = slots[0].statistics() if slots else None
        busy = figures is not None and figures.busy_since_s and time.monotonic() - figures.busy_since_s > OWN_S
        thread = figures.thread_id if figures is not None and busy else None
    ctypes.CDLL(None).syscall(SYS_TGKILL, os.getpid(), thread, signal.SIGSEGV)
    assert (await running).parked


async def neighbour(yard: Yard) -> None:
    """The neighbour is another program from now on."""
    (slot,) = [slot for name, slot in yard._pool.slots.items() if name.startswith("neighbour")]
    Path(slot.spec.pwd, "main.mjs").write_text("export default { fetch: () => new Response('wrong') }")
    slot.kill()
    while not yard._neighbour_wrong:
        await asyncio.sleep(0.001)


async def main(harm: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        async with CheckedEngine() as engine:
            yard = Yard(engine, Path(folder))
            await yard.open()
            assert await yard.look() == []
            await {"fault": fault, "neighbour": neighbour}[harm](yard)
            sys.stdout.write(json.dumps([[wrong.kind, wrong.text] for wrong in await yard.look()]))
            sys.stdout.flush()
            os._exit(0)  # parked threads never end


asyncio.run(main(sys.argv[1]))
