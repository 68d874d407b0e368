"""Bodies that stream, in and out, never more than a window ahead."""

from __future__ import annotations

import asyncio

import pytest

from supervisor.pool.exchange import FLAG_HTTP10, FLAG_STREAM, WINDOW
from tests.engine.programs import PATIENCE_S, Program, Programs
from tests.fakes.exchange import FakeExchange

pytestmark = pytest.mark.asyncio(loop_scope="session")

PIECE = 16_384
# Sends pieces for ever, counting them; /sent tells how many.
FOUNTAIN = f"""
let sent = 0;
export default {{ async fetch(request) {{
  if (request.url.endsWith('/sent')) return new Response(String(sent));
  return new Response(new ReadableStream({{
    pull(controller) {{ sent++; controller.enqueue(new Uint8Array({PIECE}).fill(sent)); }},
    cancel(reason) {{ console.log('cancelled', reason?.name); }},
  }}));
}} }};
"""
ECHO_STREAM = "return new Response(request.body);"
COUNT = (
    "const reader = request.body.getReader(); let size = 0;"
    "for (;;) { const { done, value } = await reader.read(); if (done) break; size += value.length; }"
    "return new Response(String(size));"
)


async def soon(exchange: FakeExchange, cost: int) -> None:
    async with asyncio.timeout(PATIENCE_S):
        await exchange.wait_until(lambda it: it.cost >= cost)


async def settled(program: Program) -> None:
    """Returns when the isolate has done all that it could do by now."""
    await program.get("/sent")
    await program.get("/sent")


async def test_a_stream_is_head_pieces_and_end(programs: Programs) -> None:
    program = await programs.handler(
        "const encoder = new TextEncoder(); const words = ['one ', 'two ', 'three'];"
        "return new Response(new ReadableStream({ pull(c) {"
        " words.length ? c.enqueue(encoder.encode(words.shift())) : c.close(); } }), { headers: { 'x-a': '1' } });"
    )
    number, exchange = program.ask()
    await program.read(number, exchange)
    status, headers, body = exchange.parsed()
    assert (status, headers["x-a"], headers["transfer-encoding"], body) == (200, "1", "chunked", b"one two three")
    assert "content-length" not in headers
    assert exchange.wire.endswith(b"0\r\n\r\n")
    assert exchange.cost == len(body)
    assert number not in program.isolate.streaming


async def test_an_http_1_0_client_gets_no_chunks_but_the_end_of_the_connection(programs: Programs) -> None:
    program = await programs.handler("return new Response(new Blob(['some words']).stream());")
    number, exchange = program.ask(flags=FLAG_HTTP10)
    await program.read(number, exchange)
    head, _, body = bytes(exchange.wire).partition(b"\r\n\r\n")
    assert b"chunked" not in head.lower()
    assert body == b"some words"
    assert exchange.closes


async def test_a_stream_waits_for_credit(programs: Programs) -> None:
    program = await programs.boot({"main.mjs": FOUNTAIN})
    number, exchange = program.ask()
    await soon(exchange, WINDOW)
    await settled(program)
    assert WINDOW <= exchange.cost <= WINDOW + 4 * PIECE
    before = exchange.cost
    program.isolate.credit(number, 3 * PIECE)
    await soon(exchange, before + 2 * PIECE)
    await settled(program)
    assert exchange.cost <= before + 3 * PIECE + PIECE
    assert int(await program.text("/sent")) <= exchange.cost // PIECE + 4
    program.isolate.abort(number)
    await program.logged("cancelled AbortError")


async def test_nothing_comes_after_an_abort(programs: Programs) -> None:
    program = await programs.boot({"main.mjs": FOUNTAIN})
    number, exchange = program.ask()
    await soon(exchange, PIECE)
    program.isolate.abort(number)
    seen = exchange.cost
    program.isolate.credit(number, 10 * WINDOW)
    await settled(program)
    assert exchange.cost == seen
    assert not exchange.over.is_set()


async def test_a_stream_that_fails_in_the_middle_is_cut_and_told(programs: Programs) -> None:
    program = await programs.handler(
        "let n = 0; return new Response(new ReadableStream({ pull(c) {"
        " if (n++) throw new Error('half way'); c.enqueue(new Uint8Array(10)); } }));"
    )
    number, exchange = program.ask()
    await program.until(lambda heard: number in heard.failed)
    assert "half way" in program.heard.failed[number]
    assert exchange.begun
    assert not exchange.wire.endswith(b"0\r\n\r\n")


@pytest.mark.parametrize("bad", ["'text'", "42", "null", "new ArrayBuffer(1)"])
async def test_a_stream_of_what_is_not_bytes_fails(programs: Programs, bad: str) -> None:
    program = await programs.handler(f"return new Response(new ReadableStream({{ pull(c) {{ c.enqueue({bad}); }} }}));")
    number, exchange = program.ask()
    await program.until(lambda heard: number in heard.failed or exchange.over.is_set())
    assert "TypeError" in program.heard.failed[number]


async def test_a_streamed_request_arrives_as_it_comes(programs: Programs) -> None:
    program = await programs.handler(
        "for await (const piece of request.body) console.log('got', piece.length); return new Response('all');"
    )
    number, exchange = program.ask(method="POST", flags=FLAG_STREAM)
    for size in (3, 5):
        program.isolate.body(number, b"x" * size)
        await program.logged(f"got {size}")
        async with asyncio.timeout(PATIENCE_S):
            await exchange.wait_until(lambda it: it.credit > 0)
    assert not exchange.over.is_set()
    program.isolate.body_end(number)
    await program.read(number, exchange)
    assert exchange.parsed()[2] == b"all"
    assert exchange.credit == 8


async def test_credit_is_given_only_for_what_the_program_took(programs: Programs) -> None:
    program = await programs.handler(
        "const reader = request.body.getReader(); await reader.read(); console.log('one');"
        "await new Promise((done) => { globalThis.go = done; }); await reader.read(); return new Response('two');"
    )
    number, exchange = program.ask(method="POST", flags=FLAG_STREAM)
    for _ in range(10):
        program.isolate.body(number, b"x" * 1000)
    await program.logged("one")
    await asyncio.sleep(0)
    assert exchange.credit <= 2000
    program.isolate.abort(number)


async def test_ten_megabytes_go_in_and_out_in_pieces(programs: Programs) -> None:
    program = await programs.handler(ECHO_STREAM)
    number, exchange = program.ask(method="POST", flags=FLAG_STREAM)
    reading = asyncio.create_task(program.read(number, exchange))
    size, sent = 10 * 2**20, 0
    async with asyncio.timeout(PATIENCE_S):
        while sent < size:
            await exchange.wait_credit(sent - WINDOW + 1)
            program.isolate.body(number, bytes([sent // PIECE % 251]) * PIECE)
            sent += PIECE
    program.isolate.body_end(number)
    await reading
    body = exchange.parsed()[2]
    assert len(body) == size
    assert all(body[at] == at // PIECE % 251 for at in range(0, size, 4096))


async def test_a_body_that_breaks_off_is_an_error_for_who_reads_it(programs: Programs) -> None:
    program = await programs.handler("try { await request.text(); } catch (e) { return new Response(e.name); }")
    number, exchange = program.ask(method="POST", flags=FLAG_STREAM)
    program.isolate.body(number, b"half")
    program.isolate.body_failed(number)
    await program.read(number, exchange)
    assert exchange.parsed()[2].decode().endswith("Error")


async def test_a_body_that_is_not_wanted_is_cancelled(programs: Programs) -> None:
    program = await programs.handler("await request.body.cancel(); return new Response('no, thanks');")
    number, exchange = program.ask(method="POST", flags=FLAG_STREAM)
    program.isolate.body(number, b"x" * 1000)
    await program.read(number, exchange)
    assert exchange.cancelled
    program.isolate.body(number, b"late")
    program.isolate.body_end(number)
    number, again = program.ask(method="POST", flags=FLAG_STREAM)
    await program.read(number, again)
    assert again.parsed()[2] == b"no, thanks"


async def test_a_body_counted_while_it_streams(programs: Programs) -> None:
    program = await programs.handler(COUNT)
    number, exchange = program.ask(method="POST", flags=FLAG_STREAM)
    for size in (1, 10, 100):
        program.isolate.body(number, b"x" * size)
    program.isolate.body_end(number)
    await program.read(number, exchange)
    assert exchange.parsed()[2] == b"111"
