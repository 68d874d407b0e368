"""The end of listening: what is in flight is answered, what is idle goes."""

from __future__ import annotations

import asyncio

import pytest

from supervisor.pool.exchange import FLAG_CLOSE
from tests.fakes.backend import Asked, FakeBackend, echo, hello, never, stream
from tests.ingress.harness import GET, on_uvloop, serving


async def _refused(host: str, port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection(host, port)
    except ConnectionRefusedError:
        return True
    writer.close()
    return False


@on_uvloop
async def test_drain_without_connections_is_over_at_once_and_nothing_listens() -> None:
    async with serving() as server:
        await server.listeners.drain(3600)
        assert await _refused(server.address.host, server.address.port)
        assert not server.listeners.connections()


@on_uvloop
async def test_drain_answers_what_is_in_flight() -> None:
    waiting: list[Asked] = []
    async with serving(waiting.append) as server:
        client = await server.client()
        client.send(GET)
        await server.backend.wait_asked(1)
        await asyncio.sleep(0)
        drain = asyncio.create_task(server.listeners.drain(3600))
        await asyncio.sleep(0.05)
        assert not drain.done()
        waiting[0].respond(b"still here")
        assert (await client.response()).body == b"still here"
        await drain


@on_uvloop
async def test_drain_answers_an_upload_in_flight_and_closes() -> None:
    async with serving(echo) as server:
        client = await server.client()
        client.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 200000\r\n\r\n" + b"x" * 100_000)
        await server.backend.wait_asked(1)
        drain = asyncio.create_task(server.listeners.drain(3600))
        await asyncio.sleep(0.02)
        client.send(b"x" * 100_000)
        assert len((await client.response()).body) == 200_000
        assert await client.closed() == b""
        await drain


@on_uvloop
async def test_a_request_that_comes_while_draining_is_answered_and_is_the_last() -> None:
    async with serving(idle_grace=30.0) as server:
        client = await server.client()
        await client.ask()
        drain = asyncio.create_task(server.listeners.drain(3600))
        await asyncio.sleep(0.01)
        response = await client.ask()
        assert response.header(b"connection") == b"close"
        assert server.backend.asked[1].flags == FLAG_CLOSE
        assert await client.closed() == b""
        await drain


@on_uvloop
async def test_a_process_that_was_replaced_waits_longer_for_the_next_request() -> None:
    async with serving(idle_grace=0.01) as server:
        client = await server.client()
        await client.ask()
        drain = asyncio.create_task(server.listeners.drain(3600, idle_grace_s=60.0))
        await asyncio.sleep(0.3)
        assert (await client.ask()).header(b"connection") == b"close"
        await drain


@on_uvloop
async def test_drain_closes_idle_connections_after_a_moment() -> None:
    async with serving(idle_grace=0.1) as server:
        client = await server.client()
        await client.ask()
        upload = await server.client()  # its connection was lent to start()
        await upload.ask(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 200000\r\n\r\n" + b"x" * 200_000)
        fresh = await server.client()
        await server.wait_connections(3)
        drain = asyncio.create_task(server.listeners.drain(3600))
        for each in (client, upload, fresh):
            assert await each.closed() == b""
        await drain


@on_uvloop
async def test_drain_lets_a_stream_end() -> None:
    async with serving(stream(100, 100_000)) as server:
        client = await server.client()
        client.send(GET)
        await server.backend.wait_asked(1)
        drain = asyncio.create_task(server.listeners.drain(3600))
        assert len((await client.response()).body) == 10_000_000
        await drain


@on_uvloop
async def test_drain_cuts_what_is_left_at_its_timeout() -> None:
    async with serving(never) as server:
        client = await server.client()
        client.send(GET)
        asked = await server.backend.wait_asked(1)
        await server.listeners.drain(0.1)
        assert asked.aborted
        assert await client.closed() == b""


@on_uvloop
async def test_no_request_is_lost_when_drained_under_load() -> None:
    """Every request that a client sent on an open connection is answered, until one answer announces the end."""
    async with serving(idle_grace=30.0) as server:
        answered = [0] * 16

        async def ask_on(index: int) -> None:
            client = await server.client()
            while True:
                response = await client.ask(b"GET /%d HTTP/1.1\r\nHost: a\r\n\r\n" % answered[index])
                assert response.status == 200
                answered[index] += 1
                if response.header(b"connection") == b"close":
                    assert await client.closed() == b""
                    return

        asking = [asyncio.create_task(ask_on(index)) for index in range(16)]
        while min(answered) < 20:
            await asyncio.sleep(0.01)
        await server.listeners.drain(3600)
        await asyncio.gather(*asking)


@on_uvloop
async def test_abort_all_cuts_everything() -> None:
    async with serving(never) as server:
        busy, idle = await server.client(), await server.client()
        busy.send(GET)
        asked = await server.backend.wait_asked(1)
        await server.wait_connections(2)
        server.listeners.abort_all()
        for client in (busy, idle):
            assert await client.closed() == b""
        assert asked.aborted
        await server.wait_connections(0)


@on_uvloop
async def test_closing_one_task_leaves_the_other_alone() -> None:
    async with serving(idle_grace=30.0) as server:
        other = FakeBackend(hello, task_id="other")
        (address,) = await server.listeners.open(other, [server.address.__class__("tcp", "127.0.0.1", 0)])
        client = await server.client()
        await client.ask()
        reader, writer = await asyncio.open_connection(address.host, address.port)
        server.listeners.close(other)
        assert await _refused(address.host, address.port)
        writer.write(GET)
        assert b"Connection: close" in await reader.read()
        assert (await client.ask()).header(b"connection") is None
        assert list(server.listeners.connections()) == [server.address]


@pytest.mark.parametrize("answer", [hello, never])
@on_uvloop
async def test_leaving_the_context_leaves_nothing(answer: object) -> None:
    async with serving(answer) as server:  # type: ignore[arg-type]
        client = await server.client()
        client.send(GET)
        await server.backend.wait_asked(1)
    assert await client.closed() in (b"", b"HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\nhello /")
    others = asyncio.all_tasks() - {asyncio.current_task()}
    assert not others
