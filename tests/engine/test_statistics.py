"""Figures of isolates."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest

from supervisor.engine.engine import Engine
from supervisor.engine.isolate import End, Statistics
from tests.engine.programs import PATIENCE_S, Program, Programs

pytestmark = pytest.mark.asyncio(loop_scope="session")


def figures(program: Program) -> Statistics:
    found = program.isolate.statistics()
    assert found is not None
    return found


async def test_memory_exchanges_and_timers(programs: Programs) -> None:
    program = await programs.handler(
        "if (request.url.endsWith('/fill')) { globalThis.kept = [new Uint8Array(3 * 2 ** 20), Array(1e6).fill(1.5)];"
        " setTimeout(() => {}, 1e6); setTimeout(() => {}, 1e6); console.log('full'); return new Promise(() => {}); }"
        "return new Response('ok');"
    )
    before = figures(program)
    assert before.heap_used > 0
    assert before.heap_total >= before.heap_used
    assert (before.exchanges, before.timers) == (0, 0)
    number, _ = program.ask("/fill")
    await program.logged("full")
    async with asyncio.timeout(PATIENCE_S):
        while figures(program).external_used < 3 * 2**20:
            await program.text()
            await asyncio.sleep(0.01)  # heap figures are read now and then only
        while figures(program).exchanges > 1:  # an answer may be there before its turn is over
            await asyncio.sleep(0.001)
    now = figures(program)
    assert now.heap_used > before.heap_used + 4 * 2**20
    assert (now.exchanges, now.timers) == (1, 2)
    program.isolate.abort(number)


async def test_cpu_time_is_that_of_the_thread(programs: Programs) -> None:
    program = await programs.handler("for (;;);")
    program.ask()
    await program.spinning()
    own, before = time.process_time(), figures(program).cpu_s
    async with asyncio.timeout(PATIENCE_S):
        while figures(program).cpu_s < before + 0.1:
            await asyncio.sleep(0.005)
    # The process's clock learns of what another thread does now at the kernel's next tick.
    assert time.process_time() - own >= 0.05


@pytest.mark.parametrize("reason", [End.DRAINED, End.KILLED])
async def test_an_exit_tells_all_cpu_time_of_its_thread(programs: Programs, reason: End) -> None:
    program = await programs.handler("const t = Date.now(); while (Date.now() - t < 30); return new Response('ok');")
    await program.text()
    before = figures(program).cpu_s
    end = await program.end(reason)
    assert end.cpu_s is not None
    assert before - 1e-5 <= end.cpu_s < before + 5


async def test_cpu_time_up_to_a_limit_is_told(programs: Programs) -> None:
    program = await programs.handler("for (;;);", limits={"cpu": {"request": "30ms", "startup": None}})
    program.ask()
    end = await program.ended()
    assert end.reason == "cpu-limit"
    assert end.cpu_s is not None
    assert end.cpu_s >= 0.03


async def test_busy_since_is_when_the_present_javascript_began(programs: Programs) -> None:
    program = await programs.handler("if (request.url.endsWith('/spin')) for (;;); return new Response('ok');")
    await program.text()
    async with asyncio.timeout(PATIENCE_S):
        while figures(program).busy_since_s is not None:
            await asyncio.sleep(0.001)
    asked = time.monotonic()
    program.ask("/spin")
    await program.spinning()
    since = figures(program).busy_since_s
    assert since is not None
    assert asked - 0.001 <= since <= time.monotonic()
    await asyncio.sleep(0.01)
    assert figures(program).busy_since_s == since
    await program.end()


async def test_the_thread_has_a_name_and_goes_with_its_isolate(programs: Programs) -> None:
    program = await programs.handler("return new Response('ok');")
    tid = figures(program).thread_id
    thread = Path(f"/proc/self/task/{tid}")
    assert (thread / "comm").read_text().strip() == f"isolate-{program.isolate.id}"[:15]
    await program.end(End.KILLED)
    async with asyncio.timeout(PATIENCE_S):
        while thread.exists():
            await asyncio.sleep(0.001)


async def test_counts(programs: Programs, engine: Engine) -> None:
    before = engine.counts()
    made = [await programs.handler("return new Response('ok');") for _ in range(3)]
    now = engine.counts()
    assert now.isolates - before.isolates == 3
    assert now.threads - before.threads == 3
    assert now.created - before.created == 3
    for program in made:
        await program.end()
    assert engine.counts().isolates == before.isolates
    assert engine.counts().created == now.created
