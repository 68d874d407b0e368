"""Every way in which an isolate ends, and what is told of it."""

from __future__ import annotations

import asyncio

import pytest

from supervisor.engine.engine import Engine
from supervisor.engine.isolate import End
from supervisor.spec.task import TaskSpec
from tests.engine.programs import Programs
from tests.fakes.exchange import FakeExchange

pytestmark = pytest.mark.asyncio(loop_scope="session")

SLOW = "await new Promise((done) => setTimeout(done, 50)); return new Response('slow');"
NEVER = "console.log('in'); return new Promise(() => {});"
SPIN = "for (;;);"


@pytest.mark.parametrize("reason", list(End))
async def test_an_isolate_at_rest_ends_for_the_reason_it_was_given(programs: Programs, reason: End) -> None:
    program = await programs.handler("return new Response('ok');")
    await program.text()
    end = await program.end(reason)
    assert end.reason == reason.name.lower().replace("_", "-")


@pytest.mark.parametrize("reason", list(End))
async def test_a_warm_isolate_ends_too(programs: Programs, reason: End) -> None:
    program = programs.warm()
    await program.until(lambda heard: heard.warm_us is not None)
    assert (await program.end(reason)).reason == reason.name.lower().replace("_", "-")


@pytest.mark.parametrize("reason", [End.DRAINED, End.IDLE])
async def test_a_gentle_end_lets_requests_and_their_later_work_finish(programs: Programs, reason: End) -> None:
    program = await programs.handler(
        "ctx.waitUntil(new Promise((done) => setTimeout(done, 80)).then(() => console.log('later work')));" + SLOW
    )
    number, exchange = program.ask()
    program.isolate.end(reason)
    await program.read(number, exchange)
    assert exchange.parsed()[2] == b"slow"
    assert (await program.ended()).reason == reason.name.lower()
    assert program.heard.lines == ["later work"]


@pytest.mark.parametrize("reason", [End.KILLED, End.WALL_LIMIT, End.STARTUP_LIMIT])
@pytest.mark.parametrize("body", [NEVER, SPIN])
async def test_a_hard_end_is_at_once_whatever_runs(programs: Programs, reason: End, body: str) -> None:
    program = await programs.handler(body)
    number, exchange = program.ask()
    await (program.spinning() if body == SPIN else program.logged("in"))
    end = await program.end(reason)
    assert end.reason == reason.name.lower().replace("_", "-")
    assert list(program.isolate.exchanges) == [number], "who waits is still known, to be told"
    assert not exchange.wire


@pytest.mark.parametrize(
    "hostile",
    [
        "for (;;) { try { for (;;); } catch {} finally { for (;;); } }",
        "const spin = () => Promise.resolve().then(spin); await spin();",
        "for (;;) await 0;",
        "/^(a+)+$/.test('a'.repeat(40) + 'b');",
        "[3, 2, 1].sort(() => { for (;;); });",
        "JSON.stringify({ toJSON() { for (;;); } });",
        "for (const each of (function* () { for (;;) yield 1; })());",
        "function f() { try { f(); } finally { f(); } } f(); for (;;);",
        "class A { static #x = (() => { for (;;); })(); }",
        "new Proxy({}, { get() { for (;;); } }).x;",
        "Object.prototype.toString = () => { for (;;); }; `${{}}`;",
    ],
)
async def test_a_program_cannot_refuse_to_end(programs: Programs, hostile: str) -> None:
    program = await programs.handler(hostile)
    program.ask()
    await program.spinning()
    assert (await program.end(End.KILLED)).reason == "killed"


async def test_a_gentle_end_can_be_made_a_hard_one_and_not_the_other_way_round(programs: Programs) -> None:
    program = await programs.handler(NEVER)
    program.ask()
    await program.logged("in")
    program.isolate.end(End.DRAINED)
    program.isolate.end(End.IDLE)
    program.isolate.end(End.WALL_LIMIT)
    program.isolate.end(End.DRAINED)
    program.isolate.end(End.KILLED)
    assert (await program.ended()).reason == "wall-limit"


@pytest.mark.parametrize("code", [0, 1, 3, 255])
async def test_process_exit_at_boot_and_in_a_handler(programs: Programs, code: int) -> None:
    end = await programs.exit(f"process.exit({code}); console.log('not reached');")
    assert (end.reason, end.code) == ("exited", code)
    program = await programs.handler(f"process.exit({code}); return new Response('not reached');")
    number, exchange = program.ask()
    end = await program.ended()
    assert (end.reason, end.code) == ("exited", code)
    assert list(program.isolate.exchanges) == [number]
    assert not exchange.wire


async def test_process_exit_in_a_timer_and_in_a_module(programs: Programs) -> None:
    assert (await programs.exit("setTimeout(() => process.exit(4), 1); setInterval(() => {}, 1000);")).code == 4
    assert (
        await programs.exit({"a.mjs": "import './b.mjs'; console.log('x');", "b.mjs": "process.exit(5);"})
    ).code == 5
    assert (await programs.exit({"a.mjs": "await 0; process.exit(6);"})).code == 6


async def test_process_exit_without_a_code_is_code_0(programs: Programs) -> None:
    program = programs.begin("try { process.exit(); } finally { console.log('not reached'); }")
    assert (await program.ended()).code == 0
    assert not program.heard.lines


async def test_calls_on_an_isolate_that_is_over_do_nothing(programs: Programs, engine: Engine) -> None:
    before = engine.alive
    program = await programs.handler("return new Response('ok');")
    await program.end()
    isolate, exchange = program.isolate, FakeExchange()
    assert not isolate.request(10**12, exchange, 0, b"GET", b"/", b"", b"")
    assert not isolate.exchanges
    isolate.body(10**12, b"x")
    isolate.body_end(10**12)
    isolate.body_failed(10**12)
    isolate.abort(10**12)
    isolate.credit(10**12, 1)
    isolate.end(End.KILLED)
    isolate.boot(TaskSpec.model_validate({"taskId": 1, "mainPath": "a.js", "pwd": "/tmp"}))
    assert isolate.statistics() is None
    await asyncio.sleep(0)
    assert not exchange.over.is_set()
    assert engine.alive == before


async def test_ids_are_never_used_again(programs: Programs, engine: Engine) -> None:
    seen: set[int] = set()
    for _ in range(5):
        program = programs.warm()
        assert program.isolate.id not in seen
        seen.add(program.isolate.id)
        await program.end()


async def test_a_second_boot_changes_nothing(programs: Programs) -> None:
    program = await programs.handler("return new Response(process.argv.slice(2).join());", args=["first"])
    program.isolate.boot(TaskSpec.model_validate({"taskId": 2, "mainPath": "other.js", "pwd": "/tmp"}))
    assert await program.text() == "first"


async def test_a_request_before_the_boot_waits_for_it(programs: Programs) -> None:
    program = programs.warm()
    number, exchange = program.ask()
    folder = programs.write({"main.mjs": "export default { fetch: () => new Response('first') };"})
    program.isolate.boot(TaskSpec.model_validate({"taskId": "test", "mainPath": "main.mjs", "pwd": str(folder)}))
    await program.read(number, exchange)
    assert exchange.parsed()[2] == b"first"


async def test_isolates_may_end_before_they_are_warm(programs: Programs) -> None:
    made = [programs.warm() for _ in range(4)]
    for program in made:
        program.isolate.end(End.KILLED)
    assert {(await program.ended()).reason for program in made} == {"killed"}
