"""Requests in, whole responses out."""

from __future__ import annotations

import asyncio

import pytest

from supervisor.pool.exchange import FLAG_CLOSE, FLAG_HTTP10, FLAG_TLS
from tests.engine.programs import Programs

pytestmark = pytest.mark.asyncio(loop_scope="session")

ECHO = "return new Response(await request.arrayBuffer());"


async def test_a_handler_sees_the_request(programs: Programs) -> None:
    program = await programs.handler(
        "return Response.json([request.method, request.url, request.headers.get('x-a'), [...request.headers.keys()],"
        " await request.text(), env.NAME, typeof ctx.waitUntil]);",
        env={"NAME": "value"},
    )
    status, headers, body = await program.get(
        "/path?q=1", method="POST", headers={"Host": "a.example:81", "X-A": "b"}, body="bödy".encode()
    )
    assert (status, headers["content-type"]) == (200, "application/json")
    assert body.decode() == '["POST","http://a.example:81/path?q=1","b",["host","x-a"],"bödy","value","function"]'


async def test_flags_are_heeded(programs: Programs) -> None:
    program = await programs.handler("return new Response(request.url);")
    assert await program.text("/x", flags=FLAG_TLS) == "https://localhost/x"
    for flags, close in ((0, None), (FLAG_CLOSE, "close"), (FLAG_HTTP10 | FLAG_CLOSE, "close")):
        number, exchange = program.ask(flags=flags)
        await program.read(number, exchange)
        assert exchange.parsed()[1].get("connection") == close
        assert exchange.closes is (close is not None)


async def test_a_response_is_complete_on_the_wire(programs: Programs) -> None:
    program = await programs.handler(
        "return new Response('hé', { status: 201, statusText: 'Made', headers: [['X-A', '1'], ['Set-Cookie', 'a'],"
        " ['Set-Cookie', 'b']] });"
    )
    number, exchange = program.ask()
    await program.read(number, exchange)
    head, _, body = bytes(exchange.wire).partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    assert lines[0] == "HTTP/1.1 201 Made"
    assert {"x-a: 1", "set-cookie: a", "set-cookie: b"} <= {line.lower() for line in lines}
    assert any(line.lower().startswith("date: ") and line.endswith(" GMT") for line in lines)
    assert "content-length: 3" in {line.lower() for line in lines}
    assert body == "hé".encode()


@pytest.mark.parametrize(("status", "method"), [(204, "GET"), (304, "GET"), (200, "HEAD")])
async def test_answers_without_a_body(programs: Programs, status: int, method: str) -> None:
    program = await programs.handler(
        f"return new Response({'null' if status != 200 else repr('body')}, {{ status: {status} }});"
    )
    found, headers, body = await program.get(method=method)
    assert (found, body) == (status, b"")
    assert headers.get("content-length") == ("4" if method == "HEAD" else None)


@pytest.mark.parametrize("size", [0, 1, 1024, 65_536, 10 * 2**20])
async def test_bodies_of_all_sizes_come_back(programs: Programs, size: int) -> None:
    program = await programs.handler(ECHO)
    body = bytes(range(256)) * (size // 256) + b"x" * (size % 256)
    assert (await program.get(method="POST", body=body))[2] == body


async def test_many_at_once_are_each_answered(programs: Programs) -> None:
    program = await programs.handler(
        "const n = new URL(request.url).searchParams.get('n');"
        "await new Promise((done) => setTimeout(done, Math.random() * 20)); return new Response(n);"
    )
    answers = await asyncio.gather(*(program.text(f"/?n={n}") for n in range(200)))
    assert answers == [str(n) for n in range(200)]
    figures = program.isolate.statistics()
    assert figures is not None
    assert not program.isolate.exchanges


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ("throw new Error('boom');", "Error: boom"),
        ("await 0; throw new TypeError('later');", "TypeError: later"),
        ("return 'no response';", "Response"),
        ("return undefined;", "Response"),
        ("throw null;", "null"),
        ("throw { get stack() { throw 1; } };", ""),
        ("return new Response(new ReadableStream({ start(c) { c.error(new Error('at once')); } }));", "at once"),
        ("const r = new Response('x'); await r.text(); return r;", "used"),
    ],
)
async def test_a_handler_that_fails_tells_the_log_why_and_lives_on(programs: Programs, body: str, says: str) -> None:
    program = await programs.handler(f"if (request.url.endsWith('/ok')) return new Response('ok'); {body}")
    assert says in await program.failure()
    assert await program.text("/ok") == "ok"


async def test_the_log_has_the_stack_with_file_and_line(programs: Programs) -> None:
    program = await programs.boot(
        "export default { fetch() { return inner(); } };\nfunction inner() {\n  throw new Error('boom');\n}\n"
    )
    message = await program.failure()
    assert "at inner" in message
    assert "main.js:3:9" in message


async def test_an_aborted_request_fires_the_signal_and_is_not_answered(programs: Programs) -> None:
    program = await programs.handler(
        "console.log('in'); await new Promise((done) => request.signal.addEventListener('abort', done));"
        "console.log('aborted', request.signal.reason.name); return new Response('late');"
    )
    number, exchange = program.ask()
    await program.logged("in")
    program.isolate.abort(number)
    await program.logged("aborted AbortError")
    assert not exchange.wire
    assert number not in program.isolate.exchanges


async def test_aborting_twice_or_an_unknown_one_does_nothing(programs: Programs) -> None:
    program = await programs.handler("return new Response('ok');")
    number, exchange = program.ask()
    await program.read(number, exchange)
    program.isolate.abort(number)
    program.isolate.abort(number)
    program.isolate.abort(10**15)
    assert await program.text() == "ok"


async def test_work_after_the_response_goes_on(programs: Programs) -> None:
    program = await programs.handler(
        "if (request.url.endsWith('/go')) { go(); return new Response('going'); }"
        "ctx.waitUntil(new Promise((done) => { globalThis.go = () => setTimeout(done, 20); })"
        ".then(() => console.log('done'))); return new Response('ok');"
    )
    assert await program.text() == "ok"
    assert not program.heard.lines
    assert await program.text("/go") == "going"
    await program.logged("done")


async def test_a_classic_handler_that_does_not_respond_fails(programs: Programs) -> None:
    program = await programs.boot("addEventListener('fetch', () => {});")
    assert await program.failure()


async def test_a_header_cannot_split_a_response(programs: Programs) -> None:
    program = await programs.handler(
        "try { return new Response('', { headers: { 'x-a': 'b\\r\\nx-evil: 1' } }); }"
        "catch (error) { return new Response(error.name); }"
    )
    assert await program.text() == "TypeError"
    program = await programs.handler("return new Response('', { statusText: 'OK\\r\\nx-evil: 1' });")
    assert "TypeError" in await program.failure()
