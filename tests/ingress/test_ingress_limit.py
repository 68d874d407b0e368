"""limits.net.ingress: what the connections of a task receive together."""

from __future__ import annotations

import asyncio

import pytest

from supervisor.ingress.traffic import NetHold, NetUsage
from tests.fakes.backend import Asked, echo, never
from tests.ingress.harness import GET, Client, Server, on_uvloop, serving

MBIT = 1_000_000
SIZE = 400_000
BURST = 100_000  # of 8 Mbit/s
LATE_S = 20  # as long as a busy machine may take for what takes no time


def post(size: int, more: bytes = b"") -> bytes:
    return b"POST / HTTP/1.1\r\nHost: a\r\n%bContent-Length: %d\r\n\r\n" % (more, size)


def counted(asked: Asked) -> None:
    """Answers with the size of the body, and takes it as fast as it comes."""
    taken = 0

    def take() -> None:
        nonlocal taken
        asked.take(len(asked.body) - taken)
        taken = len(asked.body)
        if asked.body_ended:
            asked.respond(b"%d" % taken)

    asked.on_body = take
    take()


async def upload(client: Client, size: int = SIZE) -> float:
    """Seconds until the answer is there."""
    began = asyncio.get_running_loop().time()
    response = await client.ask(post(size) + b"x" * size)
    assert response.body == b"%d" % size
    return asyncio.get_running_loop().time() - began


def limit(server: Server, ingress: int | None) -> None:
    server.listeners.limit(server.backend.task_id, NetHold(ingress=ingress))


def usage(server: Server) -> NetUsage:
    return server.listeners.usage(server.backend.task_id)


@on_uvloop
async def test_an_upload_takes_as_long_as_the_limit_says() -> None:
    async with serving(counted) as server:
        limit(server, 8 * MBIT)
        took = await upload(await server.client())
        least = (SIZE - BURST) / 1_000_000
        assert least * 0.98 <= took < least + LATE_S
        seen = usage(server)
        assert SIZE < seen.received < SIZE + 200
        assert 0 < seen.paused_s <= took + 0.01  # the loop counts in milliseconds


@on_uvloop
async def test_without_a_limit_nothing_waits_and_bytes_are_counted() -> None:
    async with serving(counted) as server:
        client = await server.client()
        await upload(client)
        assert (await client.ask(post(2) + b"xx")).body == b"2"
        seen = usage(server)
        assert seen.received == len(post(SIZE)) + SIZE + len(post(2)) + 2
        assert seen.sent > 2 * len(b"HTTP/1.1 200 OK\r\n")
        assert (seen.connections, seen.refused, seen.paused_s) == (1, 0, 0.0)
        assert server.listeners.usage("another") == NetUsage(0, 0, 0, 0, 0.0)


@on_uvloop
async def test_connections_share_the_limit_and_none_starves() -> None:
    async with serving(counted) as server:
        limit(server, 8 * MBIT)
        clients = [await server.client() for _ in range(10)]
        uploading = [asyncio.create_task(upload(client, SIZE // 2)) for client in clients]
        await asyncio.wait(uploading, return_when=asyncio.FIRST_COMPLETED)
        assert min(len(asked.body) for asked in server.backend.asked) > SIZE // 4, "each gets its turns"
        took = await asyncio.gather(*uploading)
        least = (10 * SIZE // 2 - BURST) / 1_000_000
        assert least * 0.98 <= max(took) < least + LATE_S


@on_uvloop
async def test_a_small_request_does_not_wait_for_all_of_an_upload() -> None:
    async with serving(counted) as server:
        limit(server, 8 * MBIT)
        small = await server.client()
        assert (await small.ask(post(1) + b"x")).body == b"1"
        uploading = asyncio.create_task(upload(await server.client(), 30_000_000))
        await asyncio.sleep(0.15)
        for _ in range(3):
            assert (await small.ask(post(1) + b"x")).body == b"1"
        assert not uploading.done()
        uploading.cancel()


@on_uvloop
async def test_the_limit_changes_on_an_open_connection() -> None:
    async with serving(counted) as server:
        limit(server, 64_000)  # 400 kB in 50 s
        client = await server.client()
        uploading = asyncio.create_task(upload(client))
        await asyncio.sleep(0.1)
        limit(server, 16 * MBIT)
        assert await uploading < LATE_S
        limit(server, 64_000)
        uploading = asyncio.create_task(upload(client))
        await asyncio.sleep(0.1)
        assert not uploading.done()
        limit(server, None)
        assert await uploading < LATE_S
        assert await upload(client) < LATE_S
        paused = usage(server).paused_s
        assert paused > 0
        limit(server, 8 * MBIT)
        assert usage(server).paused_s == paused, "what was told before counts on"
        assert await upload(client) > 0.2


@on_uvloop
async def test_a_limit_comes_while_an_upload_runs() -> None:
    async with serving() as server:
        client = await server.client()
        client.send(post(10_000_000) + b"x" * 100_000)
        asked = await server.backend.wait_asked(1)
        limit(server, 64_000)
        time = asyncio.get_running_loop().time
        before, began = usage(server).received, time()
        client.send(b"x" * 1_000_000)
        await asyncio.sleep(0.3)
        assert usage(server).received - before < 20_000 + 8_000 * (time() - began)
        asked.respond(b"enough")


@on_uvloop
async def test_a_task_that_takes_nothing_holds_its_client_back_under_a_limit_too() -> None:
    async with serving(never) as server:
        limit(server, 1_000 * MBIT)
        client = await server.client()
        client.send(post(4_000_000) + b"x" * 4_000_000)
        asked = await server.backend.wait_asked(1)
        await asyncio.sleep(0.3)
        assert usage(server).received < 1_500_000, "aiohttp's own pause is not lifted by the limit's timer"
        echo(asked)
        assert len((await client.response()).body) == 4_000_000


@on_uvloop
async def test_pipelines_chunks_and_heads_in_pieces_come_through_a_tight_limit_whole() -> None:
    async with serving(echo) as server:
        limit(server, 400_000)  # 50 kB per second: 1 KiB at a time
        client = await server.client()
        client.send(GET * 60)
        for _ in range(60):
            assert (await client.response()).status == 200
        body = bytes(range(256)) * 40
        client.send(b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
        for at in range(0, len(body), 700):
            piece = body[at : at + 700]
            client.send(b"%x\r\n%b\r\n" % (len(piece), piece))
        client.send(b"0\r\n\r\n" + GET)
        assert (await client.response()).body == body
        assert (await client.response()).status == 200


@on_uvloop
async def test_a_client_is_not_blamed_for_the_time_that_it_was_held_back() -> None:
    async with serving(counted, body_timeout=2.0) as server:
        limit(server, 2_400)  # a turn in 3.4 s
        client = await server.client()
        response = await client.ask(post(5_000) + b"x" * 5_000)
        assert response.status == 200


@on_uvloop
async def test_clients_that_leave_while_they_are_held_back_are_forgotten() -> None:
    async with serving(never) as server:
        limit(server, 800_000)
        clients = [await server.client() for _ in range(5)]
        for client in clients:
            client.send(post(1_000_000) + b"x" * 100_000)
        await server.backend.wait_asked(5)
        for client in clients:
            client.leave()
        await server.wait_connections(0)
        await asyncio.sleep(0)
        seen = usage(server).paused_s
        await asyncio.sleep(0.05)
        assert usage(server).paused_s == seen
        assert (await server.client()) is not None


@pytest.mark.parametrize("answer", [413, 400])
def test_a_refusal_is_heard_under_a_limit(answer: int) -> None:
    @on_uvloop
    async def check() -> None:
        async with serving(never, max_body=10_000) as server:
            limit(server, 80_000)
            client = await server.client()
            wrong = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
            client.send((post(50_000) if answer == 413 else wrong) + b"x" * 20_000)
            assert (await client.response()).status == answer

    check()
