"""Request bodies: collected when small, streamed with credit when large, refused when too large."""

from __future__ import annotations

import asyncio

import pytest

from supervisor.ingress.options import COLLECT, MIB
from supervisor.pool.exchange import FLAG_STREAM, WINDOW
from tests.fakes.backend import Asked, echo, hello, never
from tests.ingress.harness import GET, on_uvloop, serving

CHUNKED = b"POST /c HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"


def post(body: bytes, length: int | None = None, more: bytes = b"") -> bytes:
    return b"POST /p HTTP/1.1\r\nHost: a\r\n%bContent-Length: %d\r\n\r\n%b" % (
        more,
        len(body) if length is None else length,
        body,
    )


@pytest.mark.parametrize("size", [0, 1, 1000, 65_536, COLLECT, COLLECT + 1, 5 * MIB])
@on_uvloop
async def test_a_body_of_any_size_is_echoed_and_the_connection_goes_on(size: int) -> None:
    async with serving(echo) as server:
        client = await server.client()
        body = bytes(range(256)) * (size // 256 + 1)
        for _ in range(3):
            assert (await client.ask(post(body[:size]))).body == body[:size]
        assert all(bool(asked.flags & FLAG_STREAM) == (size > COLLECT) for asked in server.backend.asked)


@on_uvloop
async def test_a_small_body_in_pieces_reaches_the_task_whole() -> None:
    async with serving(echo) as server:
        client = await server.client()
        for _ in range(3):
            wire = post(b"x" * 60_000)
            for start in range(0, len(wire), 7_000):
                client.send(wire[start : start + 7_000])
                await asyncio.sleep(0.001)
            assert (await client.response()).body == b"x" * 60_000
        assert [asked.flags for asked in server.backend.asked] == [0, 0, 0]


@on_uvloop
async def test_a_chunked_body_that_is_there_at_once_is_passed_whole() -> None:
    async with serving(echo) as server:
        client = await server.client()
        response = await client.ask(CHUNKED + b"3;ext=1\r\nabc\r\n2\r\nde\r\n0\r\nTrailer: x\r\n\r\n")
        assert response.body == b"abcde"
        asked = server.backend.asked[0]
        assert (asked.flags, asked.headers) == (0, b"Host\na\n")


@on_uvloop
async def test_a_chunked_body_in_pieces_streams() -> None:
    async with serving(echo) as server:
        client = await server.client()
        client.send(CHUNKED + b"3\r\nabc\r\n")
        asked = await server.backend.wait_asked(1)
        while asked.body != b"abc":  # before the end of the body is sent
            await asyncio.sleep(0.001)
        client.send(b"2\r\nde\r\n0\r\n\r\n")
        assert (await client.response()).body == b"abcde"
        assert asked.flags == FLAG_STREAM
        assert (await client.ask(GET)).body == b""


@on_uvloop
async def test_a_body_the_task_does_not_take_is_held_back_at_the_window() -> None:
    async with serving(never) as server:
        client = await server.client()
        client.send(post(b"x" * (8 * MIB)))
        asked = await server.backend.wait_asked(1)
        while len(asked.body) < WINDOW:
            await asyncio.sleep(0.001)
        await asyncio.sleep(0.05)
        assert len(asked.body) == WINDOW
        assert client.writer.transport.get_write_buffer_size() > 0  # the client is held back as well
        asked.take(1000)
        while len(asked.body) < WINDOW + 1000:
            await asyncio.sleep(0.001)
        assert len(asked.body) == WINDOW + 1000
        taken = 1000
        while not asked.body_ended:
            asked.take(len(asked.body) - taken)
            taken = len(asked.body)
            await asyncio.sleep(0)
        asked.respond(b"%d" % len(asked.body))
        assert (await client.response()).body == b"%d" % (8 * MIB)


@on_uvloop
async def test_a_cancelled_body_is_read_and_thrown_away() -> None:
    def answer(asked: Asked) -> None:
        asked.exchange.body_cancel()
        asyncio.get_running_loop().call_later(0.1, asked.respond, b"enough")

    async with serving(answer) as server:
        client = await server.client()
        assert (await client.ask(post(b"x" * (4 * MIB)))).body == b"enough"
        assert len(server.backend.asked[0].body) <= WINDOW
        server.backend.answer = hello
        assert (await client.ask(GET)).body == b"hello /"


@on_uvloop
async def test_an_answer_before_the_end_of_the_body_leaves_the_connection_in_step() -> None:
    async with serving() as server:
        client = await server.client()
        client.send(post(b"x" * 1000, length=MIB))
        assert (await client.response()).body == b"hello /p"
        client.send(b"x" * (MIB - 1000))
        assert (await client.ask(GET)).body == b"hello /"


@on_uvloop
async def test_a_client_that_leaves_in_the_middle_of_a_body_aborts_the_request() -> None:
    async with serving(never) as server:
        client = await server.client()
        client.send(post(b"x" * 1000, length=MIB))
        asked = await server.backend.wait_asked(1)
        client.leave()
        await server.wait_connections(0)
        assert asked.aborted


@on_uvloop
async def test_a_client_that_leaves_while_a_small_body_is_collected_never_was_a_request() -> None:
    async with serving() as server:
        client = await server.client()
        client.send(post(b"x" * 10, length=20))
        await asyncio.sleep(0.02)
        client.leave()
        await server.wait_connections(0)
        assert not server.backend.asked


@pytest.mark.parametrize("body", [b"", b"x" * 500])
@on_uvloop
async def test_a_declared_length_over_the_limit_is_413_at_once(body: bytes) -> None:
    async with serving(max_body=1000) as server:
        client = await server.client()
        response = await client.ask(post(body, length=1001))
        assert response.status == 413
        assert (
            response.problem["title"] == "Request Entity Too Large" or response.problem["title"] == "Content Too Large"
        )
        assert response.header(b"connection") == b"close"
        assert await client.closed() == b""
        assert not server.backend.asked


@on_uvloop
async def test_a_whole_chunked_body_over_the_limit_is_413() -> None:
    async with serving(max_body=4) as server:
        response = await server.once(CHUNKED + b"5\r\nabcde\r\n0\r\n\r\n")
        assert response.status == 413
        assert not server.backend.asked


@on_uvloop
async def test_a_streamed_body_that_passes_the_limit_is_413_and_aborts_the_request() -> None:
    async with serving(never, max_body=100_000) as server:
        client = await server.client()
        client.send(CHUNKED)
        asked = await server.backend.wait_asked(1)
        for _ in range(20):
            client.send(b"2000\r\n" + b"x" * 8192 + b"\r\n")
        response = await client.response()
        assert response.status == 413
        assert asked.aborted
        assert len(asked.body) <= 100_000
        client.leave()


@on_uvloop
async def test_a_streamed_body_that_passes_the_limit_after_the_answer_began_cuts_it() -> None:
    def answer(asked: Asked) -> None:
        asked.start()
        asked.chunk(b"so far")

    async with serving(answer, max_body=100_000) as server:
        client = await server.client()
        client.send(CHUNKED)
        asked = await server.backend.wait_asked(1)
        for _ in range(20):
            client.send(b"2000\r\n" + b"x" * 8192 + b"\r\n")
        received = await client.closed()
        assert received.startswith(b"HTTP/1.1 200 OK") or received == b""
        assert not received.endswith(b"0\r\n\r\n")
        assert asked.aborted


@on_uvloop
async def test_no_limit_takes_what_a_limit_refuses() -> None:
    async with serving(echo, max_body=None) as server:
        assert (await server.once(post(b"x" * 2000))).body == b"x" * 2000
        # a length that no machine can hold is no length
        assert (await server.once(post(b"", length=2**64 - 1))).status == 413
        assert (await server.once(post(b"", length=2**64))).status == 400


@pytest.mark.parametrize("size", [3, COLLECT + 1])
@on_uvloop
async def test_expect_100_continue_is_answered_before_the_body_comes(size: int) -> None:
    async with serving(echo) as server:
        client = await server.client()
        for _ in range(2):
            client.send(post(b"", length=size, more=b"Expect: 100-Continue\r\n"))
            interim = await client.response()
            assert interim.status == 100
            client.send(b"x" * size)
            assert (await client.response()).body == b"x" * size
        assert server.backend.asked[0].header(b"expect") is None


@on_uvloop
async def test_no_100_continue_when_the_body_is_there_or_the_request_is_refused() -> None:
    async with serving(echo, max_body=1000) as server:
        client = await server.client()
        assert (await client.ask(post(b"abc", more=b"Expect: 100-continue\r\n"))).body == b"abc"
        client.send(post(b"", length=1001, more=b"Expect: 100-continue\r\n"))
        assert (await client.response()).status == 413


@on_uvloop
async def test_other_expectations_are_417() -> None:
    async with serving(echo) as server:
        response = await server.once(post(b"abc", more=b"Expect: the-unexpected\r\n"))
        assert response.status == 417
        assert b"the-unexpected" not in response.body


@pytest.mark.parametrize("streamed", [False, True])
@on_uvloop
async def test_a_malformed_chunk_is_400_and_aborts_the_request(streamed: bool) -> None:
    async with serving(never) as server:
        client = await server.client()
        if streamed:
            client.send(CHUNKED + b"3\r\nabc\r\n")
            await server.backend.wait_asked(1)
            client.send(b"nonsense\r\n")
        else:
            client.send(CHUNKED + b"nonsense\r\n")
        response = await client.response()
        assert response.status == 400
        assert b"nonsense" not in response.body
        assert await client.closed() == b""
        assert all(asked.aborted for asked in server.backend.asked)


@on_uvloop
async def test_requests_behind_an_upload_are_answered_after_it() -> None:
    async with serving(echo) as server:
        client = await server.client()
        client.send(post(b"x" * MIB) + GET + post(b"small") + CHUNKED + b"1\r\nz\r\n0\r\n\r\n")
        assert [len((await client.response()).body) for _ in range(4)] == [MIB, 0, 5, 1]
        assert [asked.flags & FLAG_STREAM for asked in server.backend.asked][1:] == [0, 0, 0]


@on_uvloop
async def test_an_upload_that_arrives_behind_others_is_no_head() -> None:
    waiting: list[Asked] = []
    async with serving(waiting.append) as server:
        client = await server.client()
        client.send(GET)
        await server.backend.wait_asked(1)
        client.send(post(b"", length=MIB))
        for _ in range(16):
            client.send(b"x" * (MIB // 16))
            await asyncio.sleep(0.002)
        server.backend.answer = echo
        waiting[0].respond(b"first")
        assert (await client.response()).body == b"first"
        assert len((await client.response()).body) == MIB


@on_uvloop
async def test_a_malformed_chunk_behind_others_is_400_after_their_answers() -> None:
    waiting: list[Asked] = []
    async with serving(waiting.append) as server:
        client = await server.client()
        client.send(GET)
        await server.backend.wait_asked(1)
        client.send(CHUNKED + b"3\r\nabc\r\n")
        await asyncio.sleep(0.02)
        client.send(b"nonsense\r\n")
        await asyncio.sleep(0.02)
        waiting[0].respond(b"first")
        assert (await client.response()).body == b"first"
        assert (await client.response()).status == 400
        assert await client.closed() == b""


@on_uvloop
async def test_body_and_answer_stream_at_the_same_time() -> None:
    def answer(asked: Asked) -> None:
        sent = 0

        def more() -> None:
            nonlocal sent
            fresh, sent = bytes(asked.body[sent:]), len(asked.body)
            if fresh:
                asked.take(len(fresh))
                asked.chunk(fresh)
            if asked.body_ended:
                asked.end()

        asked.start()
        asked.on_body = more
        more()

    async with serving(answer) as server:
        client = await server.client()
        client.send(CHUNKED)
        await client.reader.readuntil(b"\r\n\r\n")
        for _ in range(100):
            client.send(b"4\r\nping\r\n")
            assert await client.reader.readexactly(9) == b"4\r\nping\r\n"
        client.send(b"0\r\n\r\n")
        assert await client.reader.readexactly(5) == b"0\r\n\r\n"
        server.backend.answer = hello
        assert (await client.ask(GET)).body == b"hello /"
