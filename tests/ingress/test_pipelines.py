"""Several requests on the way at once, and requests cut into any pieces: order and content stay."""

from __future__ import annotations

import asyncio
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fakes.backend import Asked, echo
from tests.ingress.harness import GET, Client, on_uvloop, serving

EXAMPLES = 100
HYPOTHESIS = settings(max_examples=EXAMPLES, deadline=None)


@on_uvloop
async def test_answers_keep_the_order_of_requests() -> None:
    async with serving() as server:
        client = await server.client()
        client.send(b"".join(b"GET /%d HTTP/1.1\r\nHost: a\r\n\r\n" % number for number in range(200)))
        for number in range(200):
            assert (await client.response()).body == b"hello /%d" % number


@on_uvloop
async def test_one_request_at_a_time_reaches_the_task() -> None:
    waiting: list[Asked] = []
    async with serving(waiting.append) as server:
        client = await server.client()
        client.send(GET)
        await server.backend.wait_asked(1)
        client.send(GET * 3)
        await asyncio.sleep(0.02)
        assert len(server.backend.asked) == 1
        for number in range(4):
            await server.backend.wait_asked(number + 1)
            await asyncio.sleep(0)
            waiting[number].respond(b"%d" % number)
            assert (await client.response()).body == b"%d" % number


@on_uvloop
async def test_what_waits_behind_a_slow_answer_is_bounded() -> None:
    waiting: list[Asked] = []
    async with serving(waiting.append) as server:
        client = await server.client()
        client.send(GET * 500_000)
        await server.backend.wait_asked(1)
        await asyncio.sleep(0.1)
        (connection,) = server.listeners._connections()
        assert len(connection._messages) <= 33
        assert client.writer.transport.get_write_buffer_size() > 0
        client.leave()
        answered = 0
        while server.connections:  # one that is not read from notices when it is written to
            for asked in waiting[answered:]:
                asked.respond(b"to nobody")
                answered += 1
            await asyncio.sleep(0.01)
        assert answered < 30


@on_uvloop
async def test_a_request_after_connection_close_is_not_answered() -> None:
    async with serving() as server:
        client = await server.client()
        client.send(b"GET /1 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        await server.backend.wait_asked(1)
        client.send(GET)
        assert (await client.response()).body == b"hello /1"
        assert await client.closed() == b""
        assert len(server.backend.asked) == 1


@on_uvloop
async def test_garbage_behind_a_request_is_400_after_its_answer() -> None:
    waiting: list[Asked] = []
    async with serving(waiting.append) as server:
        client = await server.client()
        client.send(GET)
        await server.backend.wait_asked(1)
        client.send(b"\0\0garbage\r\n\r\n" + GET)
        await asyncio.sleep(0.02)
        waiting[0].respond(b"first")
        assert (await client.response()).body == b"first"
        assert (await client.response()).status == 400
        assert await client.closed() == b""


REQUESTS = st.sampled_from(
    (
        b"GET /a HTTP/1.1\r\nHost: a\r\n\r\n",
        b"\r\nGET /b?c HTTP/1.1\r\nHost: a\r\nX: " + b"y" * 300 + b"\r\n\r\n",
        b"POST /n HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n",
        b"POST /p HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n\r\n\r\nGET /",
        b"POST /p HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n123456789",
        b"POST /q HTTP/1.1\r\nHost: a\r\nContent-Length: 300\r\n\r\n"
        + b"GET / HTTP/1.1\r\n\r\n" * 16
        + b"123456789012",
        b"POST /big HTTP/1.1\r\nHost: a\r\nContent-Length: 140000\r\n\r\n" + b"1234567" * 20_000,
        b"PUT /c HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n4\r\n\r\n\r\n\r\n0\r\n\r\n",
        b"PUT /e HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\nok",
    )
)


# How far into the bytes to cut, and whether at the nearest end of an empty line: where a head may end.
CUTS = st.lists(st.tuples(st.floats(0, 1), st.booleans()), max_size=6)


def _place(wire: bytes, cut: float, snapped: bool) -> int:
    place = int(cut * len(wire))
    return max(0, wire.rfind(b"\r\n\r\n", 0, place)) + 4 if snapped else place


async def _final(client: Client) -> bytes:
    while (response := await client.response()).status == 100:
        pass
    assert response.status == 200
    return response.body


def _seen(asked: Asked) -> tuple[bytes, bytes, bytes, bytes]:
    return asked.method, asked.target, asked.headers, bytes(asked.body)


@HYPOTHESIS
@given(st.lists(REQUESTS, min_size=1, max_size=6), CUTS, st.booleans())
@on_uvloop
async def test_any_cut_of_any_pipeline_is_the_same_requests(
    requests: list[bytes], cuts: list[tuple[float, bool]], at_once: bool
) -> None:  # fmt: skip
    wire = b"".join(requests)
    edges = sorted({0, len(wire), *(_place(wire, *cut) for cut in cuts)})
    async with serving(echo) as server:
        whole = await server.client()
        for request in requests:  # one by one, each in one piece
            whole.send(request)
            await _final(whole)
        expected = [_seen(asked) for asked in server.backend.asked]
        server.backend.asked.clear()
        server.backend._by_number.clear()
        server.backend.at_once = at_once

        client = await server.client()
        for start, end in pairwise(edges):
            client.send(wire[start:end])
            await asyncio.sleep(0.002)
        bodies = [await _final(client) for _ in requests]
        assert [_seen(asked) for asked in server.backend.asked] == expected
        assert bodies == [body for _, _, _, body in expected]
        assert (await client.ask()).status == 200


@HYPOTHESIS
@given(st.lists(REQUESTS, min_size=2, max_size=8))
@on_uvloop
async def test_requests_in_a_row_are_seen_alike_whether_parsed_or_recalled(requests: list[bytes]) -> None:
    async with serving(echo) as server:
        seen: list[list[tuple[bytes, bytes, bytes, bytes]]] = []
        for _ in range(3):  # the second and third time heads are known
            client = await server.client()
            for request in requests:
                client.send(request)
                await _final(client)
            seen.append([_seen(asked) for asked in server.backend.asked])
            server.backend.asked.clear()
            server.backend._by_number.clear()
        assert seen[0] == seen[1] == seen[2]
