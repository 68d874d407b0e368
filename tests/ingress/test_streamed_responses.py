"""Responses that come in pieces, and requests that get none."""

from __future__ import annotations

import asyncio

import pytest

from supervisor.pool.exchange import WINDOW, Failure
from tests.fakes.backend import Asked, hello, never, stream
from tests.ingress.harness import GET, on_uvloop, serving

WALL = Failure(503, "wall-limit", "The task took too long", "It was given 30 s.", retry_after_s=1)


@pytest.mark.parametrize(("pieces", "size"), [(0, 1), (1, 1), (1000, 10), (64, 100_000)])
@on_uvloop
async def test_a_streamed_response_arrives_whole_and_the_connection_goes_on(pieces: int, size: int) -> None:
    async with serving(stream(pieces, size)) as server:
        client = await server.client()
        for _ in range(3):
            assert len((await client.ask()).body) == pieces * size
        assert server.connections == 1


@on_uvloop
async def test_a_streamed_response_to_http10_ends_with_the_connection() -> None:
    async with serving(stream(5, 10)) as server:
        client = await server.client()
        response = await client.ask(b"GET / HTTP/1.0\r\n\r\n")
        assert (response.body, response.header(b"transfer-encoding")) == (b"x" * 50, None)


@on_uvloop
async def test_a_slow_reader_holds_a_stream_back() -> None:
    total = 64 * 2**20
    async with serving(stream(total // 16_384, 16_384)) as server:
        client = await server.client()
        client.pause_reading()
        client.send(GET)
        asked = await server.backend.wait_asked(1)
        left = -1
        while left != asked.credit or left > 0:  # until no more credit comes back
            left = asked.credit
            await asyncio.sleep(0.1)
        assert asked.credit <= 0
        (connection,) = server.listeners._connections()
        assert connection.transport is not None
        high_water = 65_536  # of the transport; what it holds below that counts as taken
        assert connection.transport.get_write_buffer_size() <= WINDOW + high_water + 2 * 16_384
        client.resume_reading()
        assert len((await client.response()).body) == total
        assert asked.over


@on_uvloop
async def test_a_client_that_leaves_a_stream_aborts_it() -> None:
    def answer(asked: Asked) -> None:
        asked.start()
        asked.chunk(b"one")

    async with serving(answer) as server:
        client = await server.client()
        client.send(GET)
        await client.reader.readuntil(b"one")
        client.leave()
        await server.wait_connections(0)
        assert server.backend.asked[0].aborted


@on_uvloop
async def test_a_client_that_leaves_before_the_answer_aborts_the_request() -> None:
    async with serving(never) as server:
        client = await server.client()
        client.send(GET)
        asked = await server.backend.wait_asked(1)
        client.leave()
        await server.wait_connections(0)
        assert asked.aborted


@on_uvloop
async def test_a_failure_before_the_head_is_a_problem_document() -> None:
    async with serving(lambda asked: asked.fail(WALL)) as server:
        client = await server.client()
        response = await client.ask()
        assert response.problem == {
            "type": "about:blank",
            "title": "The task took too long",
            "status": 503,
            "detail": "It was given 30 s.",
            "reason": "wall-limit",
        }
        assert response.header(b"retry-after") == b"1"
        assert response.header(b"date") is not None
        server.backend.answer = hello
        assert (await client.ask()).status == 200


@on_uvloop
async def test_a_failure_answers_head_without_a_body_and_keeps_connection_close() -> None:
    async with serving(lambda asked: asked.fail(WALL)) as server:
        client = await server.client()
        response = await client.ask(b"HEAD / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", head_only=True)
        assert response.status == 503
        assert int(response.header(b"content-length") or 0) > 0
        assert response.header(b"connection") == b"close"
        assert await client.closed() == b""


@on_uvloop
async def test_a_failure_after_the_head_cuts_the_connection() -> None:
    def answer(asked: Asked) -> None:
        asked.start()
        asked.chunk(b"one")
        asyncio.get_running_loop().call_later(0.02, asked.fail, WALL)

    async with serving(answer) as server:
        client = await server.client()
        client.send(GET)
        received = await client.closed()
        assert received.endswith(b"3\r\none\r\n")
        assert b"wall" not in received


@on_uvloop
async def test_a_refused_request_gets_its_reason_and_the_connection_goes_on() -> None:
    async with serving() as server:
        server.backend.refusal = Failure(503, "queue-full", "Too busy", "Try again.", retry_after_s=2)
        client = await server.client()
        for wire in (GET, b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 200000\r\n\r\n" + b"x" * 200_000):
            response = await client.ask(wire)
            assert (response.status, response.problem["reason"]) == (503, "queue-full")
            assert response.header(b"retry-after") == b"2"
        server.backend.refusal = None
        assert (await client.ask()).status == 200
