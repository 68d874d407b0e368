"""Clients that go away, half go away, or do not go on."""

from __future__ import annotations

import asyncio
import socket
import struct

import pytest

from supervisor.ingress.options import IngressOptions
from supervisor.pool.exchange import WINDOW
from tests.fakes.backend import Asked, never, stream
from tests.ingress.harness import GET, PATIENCE, on_uvloop, serving

CHUNKED = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n"


@on_uvloop
async def test_an_idle_connection_is_closed() -> None:
    async with serving(keep_alive=0.1) as server:
        client = await server.client()
        assert (await client.ask()).status == 200
        assert await client.closed() == b""


@on_uvloop
async def test_a_connection_that_never_asks_is_closed() -> None:
    async with serving(head_timeout=0.1) as server:
        assert await (await server.client()).closed() == b""


@on_uvloop
async def test_a_connection_in_use_is_not_idle() -> None:
    async with serving(keep_alive=2.0) as server:
        client = await server.client()
        for _ in range(7):
            await asyncio.sleep(0.4)
            assert (await client.ask()).status == 200


@on_uvloop
async def test_waiting_for_a_slow_task_is_not_idleness() -> None:
    def slow(asked: Asked) -> None:
        asyncio.get_running_loop().call_later(3.0, asked.respond, b"late")

    async with serving(slow, keep_alive=2.0, head_timeout=2.0, body_timeout=2.0) as server:
        one, other = await server.client(), await server.client()
        for response in await asyncio.gather(one.ask(), other.ask(CHUNKED + b"0\r\n\r\n")):
            assert response.body == b"late"


@on_uvloop
async def test_a_head_that_trickles_is_408() -> None:
    async with serving(head_timeout=2.0) as server:
        client = await server.client()
        for byte in GET[:-4]:
            client.send(bytes((byte,)))
            await asyncio.sleep(0.12)
        assert (await client.response()).status == 408
        assert await client.closed() == b""
        assert not server.backend.asked


@pytest.mark.parametrize("streamed", [False, True])
@on_uvloop
async def test_a_body_that_stops_coming_is_408(streamed: bool) -> None:
    async with serving(never, body_timeout=0.1) as server:
        client = await server.client()
        client.send(CHUNKED if streamed else b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nabc")
        assert (await client.response()).status == 408
        assert await client.closed() == b""
        assert [asked.aborted for asked in server.backend.asked] == ([True] if streamed else [])


@on_uvloop
async def test_a_body_that_stops_after_the_answer_began_is_cut() -> None:
    def answer(asked: Asked) -> None:
        asked.start()
        asked.chunk(b"so far")

    async with serving(answer, body_timeout=0.1) as server:
        client = await server.client()
        client.send(CHUNKED)
        assert (await client.closed()).endswith(b"so far\r\n")
        assert server.backend.asked[0].aborted


@on_uvloop
async def test_a_slow_body_that_keeps_coming_is_waited_for() -> None:
    async with serving(body_timeout=2.0) as server:
        client = await server.client()
        client.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n")
        for _ in range(10):
            await asyncio.sleep(0.3)
            client.send(b"x")
        assert (await client.response()).status == 200


@on_uvloop
async def test_a_body_that_the_task_does_not_take_is_not_the_clients_fault() -> None:
    async with serving(never, body_timeout=1.5) as server:
        client = await server.client()
        client.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4000000\r\n\r\n" + b"x" * 4_000_000)
        asked = await server.backend.wait_asked(1)
        while len(asked.body) < WINDOW:  # from then on it is the task's turn
            await asyncio.sleep(0.002)
        await asyncio.sleep(2.2)
        assert not asked.aborted


@pytest.mark.parametrize("streamed", [False, True])
@on_uvloop
async def test_a_client_that_takes_nothing_is_given_up(streamed: bool) -> None:
    def answer(asked: Asked) -> None:
        if streamed:
            stream(pieces=1000, size=20_000)(asked)
        else:
            asked.respond(b"x" * 20_000_000)

    async with serving(answer, send_timeout=0.2) as server:
        client = await server.client()
        client.pause_reading()
        client.send(GET)
        asked = await server.backend.wait_asked(1)
        await server.wait_connections(0)
        assert asked.over


@on_uvloop
async def test_a_slow_download_is_not_idleness() -> None:
    size, per_s = 30_000_000, 10_000_000
    async with serving(lambda asked: asked.respond(b"x" * size), keep_alive=2.0, head_timeout=2.0) as server:
        client = await server.client()
        client.send(GET)
        await client.reader.readuntil(b"\r\n\r\n")
        received = 0
        while received < size:
            client.resume_reading()
            piece = await client.reader.read(1_000_000)
            client.pause_reading()
            assert piece, f"cut after {received} bytes"
            received += len(piece)
            await asyncio.sleep(len(piece) / per_s)
        assert received == size


@on_uvloop
async def test_idleness_begins_when_the_client_has_the_answer() -> None:
    looks = {"body_timeout": 0.3}  # every third of the shortest time
    async with serving(lambda asked: asked.respond(b"x" * 20_000_000), keep_alive=2.0, **looks) as server:
        client = await server.client()
        client.pause_reading()
        client.send(GET)
        await asyncio.sleep(2.5)
        client.resume_reading()
        await client.response()
        await asyncio.sleep(0.3)
        assert (await client.ask()).status == 200


@on_uvloop
async def test_a_half_closed_client_gets_the_answer_to_an_upload() -> None:
    def answer(asked: Asked) -> None:
        asked.exchange.body_cancel()
        asyncio.get_running_loop().call_later(0.1, asked.respond, b"ok")

    async with serving(answer, half_closed=PATIENCE) as server:
        client = await server.client()
        client.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 200000\r\n\r\n" + b"x" * 200_000)
        await server.backend.wait_asked(1)
        await asyncio.sleep(0.02)
        client.writer.write_eof()
        assert (await client.response()).body == b"ok"
        assert await client.closed() == b""


@on_uvloop
async def test_a_half_closed_client_gets_its_answer() -> None:
    async with serving(half_closed=PATIENCE) as server:
        client = await server.client()
        client.send(GET * 3)
        client.writer.write_eof()
        for _ in range(3):
            assert (await client.response()).body == b"hello /"
        assert await client.closed() == b""


@on_uvloop
async def test_a_client_that_closed_and_gets_no_answer_soon_aborts_the_request() -> None:
    async with serving(never, half_closed=2.0) as server:
        client = await server.client()
        client.send(GET)
        asked = await server.backend.wait_asked(1)
        client.writer.write_eof()
        await asyncio.sleep(0.03)
        assert not asked.aborted
        assert await client.closed() == b""
        assert asked.aborted


@on_uvloop
async def test_a_large_answer_to_a_half_closed_client_is_not_cut_short() -> None:
    def answer(asked: Asked) -> None:
        asyncio.get_running_loop().call_later(0.05, asked.respond, b"x" * 20_000_000)

    async with serving(answer, half_closed=2.0) as server:
        client = await server.client()
        client.pause_reading()
        client.send(GET)
        client.writer.write_eof()
        await asyncio.sleep(2.5)
        client.resume_reading()
        assert len((await client.response()).body) == 20_000_000


@pytest.mark.parametrize(
    "wire", [b"", GET[:-2], b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nabc", CHUNKED]
)
@on_uvloop
async def test_a_half_closed_client_that_did_not_finish_is_closed(wire: bytes) -> None:
    async with serving(never) as server:
        client = await server.client()
        client.send(wire)
        await asyncio.sleep(0.02)
        client.writer.write_eof()
        assert await client.closed() == b""
        assert all(asked.aborted for asked in server.backend.asked)


@on_uvloop
async def test_a_client_that_resets_aborts_at_once() -> None:
    async with serving(lambda asked: asked.start(), half_closed=600.0) as server:
        client = await server.client()
        client.send(GET)
        asked = await server.backend.wait_asked(1)
        await client.reader.readuntil(b"\r\n\r\n")
        sock = client.writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # closing resets
        client.leave()
        await server.wait_connections(0)
        assert asked.aborted


@pytest.mark.parametrize("name", ["keep_alive", "head_timeout", "body_timeout", "send_timeout", "linger"])
def test_times_of_nothing_are_refused(name: str) -> None:
    with pytest.raises(ValueError, match=f"{name} is 0"):
        IngressOptions(**{name: 0})  # type: ignore[arg-type]
