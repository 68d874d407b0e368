"""The heap limit ends the isolate, the external limit is an error that a program can catch."""

from __future__ import annotations

import asyncio

import pytest

from tests.engine.programs import Programs

pytestmark = pytest.mark.asyncio(loop_scope="session")

MIB = 2**20
HEAP = {"mem": {"heap": "10MiB", "external": "16MiB"}}

GROWERS = {
    "strings in an array": "const a = []; for (;;) a.push('hello');",
    "objects in an array": "const a = []; for (;;) a.push({ a: a.length });",
    "long strings": "const a = []; for (;;) a.push(String(a.length).repeat(100));",
    "closures": "let f = () => 1; for (;;) { const g = f; f = () => g; }",
    "a map": "const m = new Map(); for (let i = 0;; i++) m.set(i, i);",
    "properties": "const o = {}; for (let i = 0;; i++) o['p' + i] = i;",
    "promises": "const a = []; for (;;) a.push(new Promise(() => {}));",
    "what is caught": "const a = []; for (;;) { try { for (;;) a.push('x' + a.length); } catch {} }",
}


@pytest.mark.parametrize("grower", GROWERS)
async def test_a_heap_that_grows_past_its_limit_ends_the_isolate(programs: Programs, grower: str) -> None:
    program = await programs.handler(f"{GROWERS[grower]}", limits=HEAP)
    neighbour = await programs.handler("return new Response('fine');", limits=HEAP)
    number, exchange = program.ask()
    end = await program.ended()
    assert end.reason == "heap-limit", end
    assert end.limit == 10 * MIB
    assert end.measured is not None
    # A table that doubles asks for all of its new size at once, and that is what the program would have had.
    assert 7 * MIB <= end.measured <= 32 * MIB
    assert list(program.isolate.exchanges) == [number]
    assert not exchange.wire
    assert await neighbour.text() == "fine"


async def test_at_boot_too(programs: Programs) -> None:
    end = await programs.exit("const a = []; for (;;) a.push('hello');", limits=HEAP)
    assert (end.reason, end.limit) == ("heap-limit", 10 * MIB)


async def test_in_a_timer_too(programs: Programs) -> None:
    end = await programs.exit("setTimeout(() => { const a = []; for (;;) a.push('hello'); }, 1);", limits=HEAP)
    assert end.reason == "heap-limit"


async def test_garbage_does_not_count(programs: Programs) -> None:
    program = await programs.handler(
        "let n = 0; for (let i = 0; i < 3e6; i++) n += [i, String(i)].length; return new Response(String(n));",
        limits=HEAP,
    )
    assert await program.text() == "6000000"


@pytest.mark.parametrize(
    "grab",
    [
        "new ArrayBuffer(64 * 2 ** 20)",
        "new Uint8Array(64 * 2 ** 20)",
        "new Float64Array(8 * 2 ** 20)",
        "const kept = [new Uint8Array(8 * 2 ** 20), new Uint8Array(12 * 2 ** 20)]",
        "const kept = []; for (;;) kept.push(new Uint8Array(2 ** 20))",
        "structuredClone(new Uint8Array(12 * 2 ** 20))",
    ],
)
async def test_external_memory_past_its_limit_is_a_range_error_in_the_program(programs: Programs, grab: str) -> None:
    program = await programs.handler(
        f"try {{ {grab}; }} catch (error) {{ return new Response(error.constructor.name); }}"
        "return new Response('no error');",
        limits=HEAP,
    )
    assert await program.text() == "RangeError"
    assert await program.text() == "RangeError"


async def test_external_memory_that_was_freed_can_be_used_again(programs: Programs) -> None:
    program = await programs.handler(
        "let sum = 0; for (let i = 0; i < 100; i++) { sum += new Uint8Array(4 * 2 ** 20).length;"
        " await new Promise((done) => setTimeout(done)); } return new Response(String(sum));",
        limits=HEAP,
    )
    assert await program.text() == str(100 * 4 * MIB)


async def test_a_body_that_does_not_fit_fails_that_request_alone(programs: Programs) -> None:
    program = await programs.handler(
        "return new Response(String((await request.arrayBuffer()).byteLength));", limits=HEAP
    )
    assert "limits.mem.external" in await program.failure(method="POST", body=b"x" * (20 * MIB))
    assert await program.text(method="POST", body=b"x" * MIB) == str(MIB)


async def test_many_limits_hit_at_the_same_time_end_each_isolate_and_nobody_else(programs: Programs) -> None:
    neighbour = await programs.handler("return new Response('fine');")
    growing = [await programs.handler("const a = []; for (;;) a.push('hello');", limits=HEAP) for _ in range(6)]
    for program in growing:
        program.ask()
    ends = await asyncio.gather(*(program.ended() for program in growing))
    assert {end.reason for end in ends} == {"heap-limit"}
    assert await neighbour.text() == "fine"
