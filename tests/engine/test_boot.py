"""From a fresh isolate to a program that is ready, and what it says on the way."""

from __future__ import annotations

import pytest

from tests.engine.programs import Programs

pytestmark = pytest.mark.asyncio(loop_scope="session")

HELLO = "export default { fetch() { return new Response('hello'); } };"


async def test_an_isolate_says_when_it_is_warm_and_when_it_is_ready(programs: Programs) -> None:
    program = programs.warm()
    await program.until(lambda heard: heard.warm_us is not None)
    assert program.heard.ready_us is None
    assert program.heard.warm_us
    program = await programs.boot(HELLO)
    assert program.heard.warm_us is not None
    assert program.heard.ready_us


@pytest.mark.parametrize(
    ("source", "has_handler"),
    [
        (HELLO, True),
        ("export default { fetch: async () => new Response('hello') };", True),
        ("export default { get fetch() { return () => new Response('hello'); } };", True),
        ("export default class { static fetch() { return new Response('hello'); } }", True),
        ("addEventListener('fetch', (event) => event.respondWith(new Response('hello')));", True),
        ("export default {}; setTimeout(() => {}, 1e6);", False),
        ("export const fetch = () => {}; setTimeout(() => {}, 1e6);", False),
        ("setTimeout(() => {}, 1e6);", False),
    ],
)
async def test_ready_says_whether_there_is_a_handler(programs: Programs, source: str, has_handler: bool) -> None:
    program = await programs.boot(source)
    assert program.heard.has_handler is has_handler
    if has_handler:
        assert await program.text() == "hello"


async def test_an_ordinary_script_is_sloppy_and_a_module_is_strict(programs: Programs) -> None:
    script = "undeclared = typeof this; addEventListener('fetch', (e) => e.respondWith(new Response(undeclared)));"
    assert await (await programs.boot(script)).text() == "object"
    module = "const kind = typeof this; export default { fetch() { return new Response(kind); } };"
    assert await (await programs.boot(module)).text() == "undefined"


async def test_console_lines_come_with_their_level(programs: Programs) -> None:
    program = await programs.boot(
        "console.debug('d'); console.log('l', 1, {a: [1]}); console.info('i'); console.warn('w'); console.error('ü ❄');"
        + HELLO
    )
    assert program.heard.log == [(0, "d"), (1, "l 1 { a: [ 1 ] }"), (1, "i"), (2, "w"), (3, "ü ❄")]


async def test_a_flood_of_console_lines_ends_with_a_note_of_what_was_dropped(programs: Programs) -> None:
    """The thread may be far ahead of the loop: what waits is bounded."""
    program = await programs.handler(
        "if (request.url.endsWith('/after')) { console.log('after'); return new Response('ok'); }"
        "const line = 'x'.repeat(1000); for (let i = 0; i < 20000; i++) console.log(line);"
        "setTimeout(() => {}, 1e6); return new Response('ok');"
    )
    program.ask()
    while (figures := program.isolate.statistics()) and figures.timers == 0:
        pass  # not a turn of the loop, so nothing is taken
    await program.until(lambda heard: bool(heard.log))
    await program.text("/after")
    assert len(program.heard.log) < 5000
    assert [text for level, text in program.heard.log if level == 2 and "console lines were dropped" in text]
    assert program.heard.lines[-1] == "after"


async def test_programs_do_not_see_each_other(programs: Programs) -> None:
    one = await programs.handler("globalThis.n = (globalThis.n ?? 0) + 1; return new Response(String(n));")
    two = await programs.handler("return new Response(typeof globalThis.n);")
    assert [await one.text(), await one.text()] == ["1", "2"]
    assert await two.text() == "undefined"


async def test_a_program_that_listens_to_nothing_ends_when_it_has_no_more_to_do(programs: Programs) -> None:
    program = programs.begin("setTimeout(() => { console.log('late'); }, 20); console.log('early');")
    end = await program.ended()
    assert (end.reason, end.code) == ("exited", 0)
    assert program.heard.lines == ["early", "late"]


async def test_a_program_that_awaits_at_the_top_is_ready_afterwards(programs: Programs) -> None:
    program = await programs.boot(
        "const wait = (ms) => new Promise((done) => setTimeout(done, ms));\n"
        "console.log('before'); await wait(20); console.log('after');" + HELLO
    )
    assert program.heard.lines == ["before", "after"]
    assert await program.text() == "hello"
