"""Harms a real host as no program can, prints what the fuzzer sees. A process of its own: threads are lost."""

from __future__ import annotations

import asyncio
import ctypes
import json
import os
import signal
import sys
import tempfile
from pathlib import Path

from tools.fuzzing import yard as module
from tools.fuzzing.checked import CheckedEngine
from tools.fuzzing.program import Program, Way
from tools.fuzzing.yard import Yard

SYS_TGKILL = 234  # on x86-64
OWN_S = 0.05  # of CPU time: so long the runtime itself is never at work in one go, it is the program
LONG_S = 40  # the program may spin until it is harmed, however late that is
SPIN = Program("spin", Way.BOOT, "main.js", {"main.js": b"for (;;);"})


async def fault(yard: Yard) -> None:
    """A thread accesses memory that is not its own."""
    vars(module).update(LIMITS={"cpu": {"startup": None, "wall": None}}, WALL_S=LONG_S)
    running = asyncio.create_task(yard.run(SPIN))
    thread = since = None
    began_s = 0.0
    while not thread:
        await asyncio.sleep(0.001)
        slots = [slot for name, slot in yard._pool.slots.items() if name.startswith("spin")]
        figures = slots[0].statistics() if slots else None
        if figures is None or figures.busy_since_s is None or figures.busy_since_s != since:
            since, began_s = (figures.busy_since_s, figures.cpu_s) if figures is not None else (None, 0.0)
        elif figures.cpu_s - began_s > OWN_S:
            thread = figures.thread_id
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
