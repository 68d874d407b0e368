"""Ports that go from one task to another, and connections with them."""

from __future__ import annotations

import asyncio

import pytest

from supervisor.errors import ListenError
from supervisor.ingress.listeners import Listeners
from supervisor.spec.listen import ListenAddress, parse_listen
from tests.fakes.backend import Asked, FakeBackend, echo, hello, never
from tests.ingress.harness import GET, on_uvloop, serving

ANY, ANY_2 = parse_listen("127.0.0.1:0"), parse_listen("127.0.0.2:0")


def says(word: bytes) -> FakeBackend:
    return FakeBackend(lambda asked: asked.respond(word), task_id=word.decode())


async def refused(address: ListenAddress) -> bool:
    try:
        _, writer = await asyncio.open_connection(address.host, address.port)
    except ConnectionRefusedError:
        return True
    writer.close()
    return False


@on_uvloop
async def test_the_next_request_of_a_connection_goes_to_the_new_task() -> None:
    async with serving() as server:
        new = says(b"new")
        client, silent = await server.client(), await server.client()
        assert (await client.ask()).body == b"hello /"
        server.listeners.swap(server.backend, new)
        for each in (client, silent, await server.client()):
            response = await each.ask()
            assert response.body == b"new"
            assert response.header(b"connection") is None
        assert len(server.backend.asked) == 1
        assert not new.violations


@on_uvloop
async def test_what_is_in_flight_stays_with_the_task_that_took_it() -> None:
    waiting: list[Asked] = []
    async with serving(waiting.append) as server:
        new = says(b"new")
        client = await server.client()
        client.send(GET + GET)
        await server.backend.wait_asked(1)
        await asyncio.sleep(0)
        server.listeners.swap(server.backend, new)
        server.listeners.close(server.backend)  # it has no port any more: nobody's connection goes
        waiting[0].respond(b"old")
        assert (await client.response()).body == b"old"
        assert (await client.response()).body == b"new"
        assert (await client.ask()).body == b"new"


@on_uvloop
async def test_an_upload_in_flight_goes_on_to_the_old_task() -> None:
    async with serving(echo) as server:
        client = await server.client()
        client.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 400000\r\n\r\n" + b"x" * 200_000)
        await server.backend.wait_asked(1)
        new = FakeBackend(echo, task_id="new")
        server.listeners.swap(server.backend, new)
        client.send(b"x" * 200_000)
        assert len((await client.response()).body) == 400_000
        assert not new.asked
        assert len((await client.ask(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi")).body) == 2
        assert len(new.asked) == 1
        assert not new.violations


@on_uvloop
async def test_a_client_that_goes_is_told_to_the_task_that_has_its_request() -> None:
    async with serving(never) as server:
        new = says(b"new")
        client = await server.client()
        client.send(GET)
        asked = await server.backend.wait_asked(1)
        server.listeners.swap(server.backend, new)
        client.leave()
        await server.wait_connections(0)
        assert asked.aborted
        assert not new.violations


@on_uvloop
async def test_moving_keeps_opens_and_closes_ports() -> None:
    async with Listeners() as listeners:
        old, new = says(b"old"), says(b"new")
        kept, closed = await listeners.open(old, [ANY, ANY_2])
        reader, writer = await asyncio.open_connection(kept.host, kept.port)
        leaving, _ = await asyncio.open_connection(closed.host, closed.port)
        name = parse_listen("localhost:0")
        addresses = await listeners.move(old, new, [name, ANY])
        assert addresses[-1] == kept
        assert set(addresses) == set(listeners.addresses(new)) == set(listeners.connections())
        assert listeners.addresses(old) == ()
        assert await refused(closed)
        assert await leaving.read() == b""
        writer.write(GET)
        assert b"new" in await reader.readuntil(b"new")
        writer.close()


@on_uvloop
async def test_a_port_that_was_any_free_one_may_be_asked_for_by_its_number() -> None:
    async with Listeners() as listeners:
        old, new, newest = says(b"old"), says(b"new"), says(b"newest")
        (bound,) = await listeners.open(old, [ANY])
        with pytest.raises(ListenError):
            await listeners.move(old, new, [bound, parse_listen("192.0.2.1:1")])
        assert await listeners.move(old, new, [ANY]) == (bound,), "a move that failed changed what was asked for"
        assert await listeners.move(new, newest, [bound]) == (bound,)
        assert not await refused(bound)


@on_uvloop
async def test_a_move_that_cannot_be_changes_nothing() -> None:
    async with Listeners() as listeners:
        old, new, other = says(b"old"), says(b"new"), says(b"other")
        (taken,) = await listeners.open(other, [ANY])
        opened = await listeners.open(old, [ANY, ANY_2])
        with pytest.raises(ListenError, match="in use"):
            await listeners.move(old, new, [ANY, parse_listen("127.0.0.3:0"), taken])
        assert listeners.addresses(old) == opened
        assert listeners.addresses(new) == ()
        assert len(listeners.connections()) == 3


@on_uvloop
async def test_some_addresses_of_a_task_can_be_closed() -> None:
    async with Listeners() as listeners:
        backend = FakeBackend(hello)
        kept, closed = await listeners.open(backend, [ANY, ANY_2])
        listeners.close(backend, [ANY_2])
        assert listeners.addresses(backend) == (kept,)
        assert await refused(closed)
        assert not await refused(kept)


@on_uvloop
async def test_how_long_answers_took_is_counted_per_task_and_goes_on_with_the_port() -> None:
    async with serving() as server:
        client = await server.client()
        for _ in range(3):
            await client.ask()
        assert server.listeners.latencies()["fake"].total == 3
        server.listeners.swap(server.backend, says(b"new"))
        await client.ask()
        assert server.listeners.latencies()["new"].total == 4
        assert 0 < server.listeners.latencies()["new"].sum < 60


@on_uvloop
async def test_what_was_counted_stays_when_ports_close_and_tasks_go() -> None:
    async with serving() as server:
        client = await server.client()
        for _ in range(3):
            await client.ask()
        listeners = server.listeners
        listeners.close(server.backend)
        assert listeners.latencies()["fake"].total == 3
        listeners.forget("fake")
        assert "fake" not in listeners.latencies()
        assert listeners.latency().total == 3
        await listeners.open(server.backend, [ANY])
        assert listeners.latencies()["fake"].total == 0, "a task of the same name is another one"
        assert listeners.latency().total == 3
        listeners.forget("unknown")
