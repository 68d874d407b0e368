"""Errors that nobody caught after the boot: told, and not the end."""

from __future__ import annotations

import pytest

from tests.engine.programs import Programs

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest.mark.parametrize(
    "stray",
    [
        "Promise.reject(new Error('stray'));",
        "(async () => { throw new Error('stray'); })();",
        "setTimeout(() => { throw new Error('stray'); });",
        "setTimeout(async () => { throw new Error('stray'); });",
        "queueMicrotask(() => { throw new Error('stray'); });",
        "addEventListener('x', () => { throw new Error('stray'); }); dispatchEvent(new Event('x'));",
        "reportError(new Error('stray'));",
        "ctx.waitUntil(Promise.reject(new Error('stray')));",
    ],
)
async def test_a_stray_error_in_a_handler_is_an_error_line_and_nothing_else(programs: Programs, stray: str) -> None:
    program = await programs.handler(f"{stray} return new Response('ok');")
    assert await program.text() == "ok"
    await program.logged("stray")
    (line,) = [(level, text) for level, text in program.heard.log if "stray" in text]
    assert line[0] == 3
    assert "main.mjs:2:" in line[1], "with its place"
    assert await program.text() == "ok"


async def test_a_rejection_that_is_handled_soon_is_not_told(programs: Programs) -> None:
    program = await programs.handler(
        "const p = Promise.reject(new Error('stray')); p.catch(() => {}); await p.catch(() => {});"
        "return new Response('ok');"
    )
    assert await program.text() == "ok"
    assert await program.text() == "ok"
    assert not program.heard.log


async def test_programs_can_listen_for_stray_errors(programs: Programs) -> None:
    program = await programs.handler(
        "if (request.url.endsWith('/timer')) setTimeout(() => { throw new Error('one'); });"
        "else Promise.reject(new Error('two')); return new Response('ok');",
        before="addEventListener('error', (event) => { console.log('heard', event.error.message);"
        " event.preventDefault(); });"
        "addEventListener('unhandledrejection', (event) => { console.log('heard', event.reason.message);"
        " event.preventDefault(); });",
    )
    await program.get("/timer")
    await program.logged("heard one")
    await program.get("/promise")
    await program.logged("heard two")
    assert {level for level, _ in program.heard.log} == {1}


async def test_a_listener_that_throws_itself_is_told_too(programs: Programs) -> None:
    program = await programs.handler(
        "setTimeout(() => { throw new Error('first'); }); return new Response('ok');",
        before="addEventListener('error', () => { throw new Error('second'); });",
    )
    await program.get()
    await program.logged("first")
    await program.logged("second")
    assert await program.text() == "ok"


async def test_a_stray_rejection_at_boot_is_told_and_the_program_starts(programs: Programs) -> None:
    program = await programs.boot(
        "Promise.reject(new Error('stray')); export default { fetch: () => new Response('ok') };"
    )
    assert await program.text() == "ok"
    assert any("stray" in line for line in program.heard.lines)


async def test_a_stack_overflow_is_an_error_like_any_other(programs: Programs) -> None:
    program = await programs.handler(
        "if (request.url.endsWith('/deep')) { const f = () => f(); f(); } return new Response('ok');"
    )
    assert "Maximum call stack size exceeded" in await program.failure("/deep")
    assert await program.text() == "ok"
