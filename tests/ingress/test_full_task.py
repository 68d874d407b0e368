"""limits.net.connections: more connections than a task takes, told so or left in line."""

from __future__ import annotations

import asyncio

import pytest

from supervisor.ingress import server as shared
from supervisor.ingress.traffic import NetHold
from supervisor.spec.listen import parse_listen
from tests.fakes.backend import FakeBackend, never
from tests.ingress.harness import GET, Client, Server, on_uvloop, serving

SHORT_S = 0.1  # in which somebody is not answered


def limit(server: Server, connections: int | None) -> None:
    server.listeners.limit(server.backend.task_id, NetHold(connections=connections))


def refused(server: Server) -> int:
    return server.listeners.usage(server.backend.task_id).refused


async def filled(server: Server, count: int) -> list[Client]:
    clients = [await server.client() for _ in range(count)]
    await server.wait_connections(count)
    return clients


@on_uvloop
async def test_one_too_many_hears_503_with_a_time_and_is_closed() -> None:
    async with serving() as server:
        limit(server, 2)
        first, _ = await filled(server, 2)
        client = await server.client()
        response = await client.ask()
        assert (response.status, response.header(b"retry-after")) == (503, b"1")
        assert response.header(b"connection") == b"close"
        problem = response.problem
        assert (problem["reason"], problem["limit"], problem["unit"]) == ("connections-full", 2, "connections")
        assert await client.closed() == b""
        assert refused(server) == 1
        assert server.listeners.turned_away == 0, "that counts for the host's own limit"
        assert (await first.ask()).body == b"hello /"
        first.leave()
        await server.wait_connections(1)
        assert (await (await server.client()).ask()).status == 200


@on_uvloop
async def test_the_neighbour_is_not_full() -> None:
    async with serving() as server:
        other = FakeBackend(task_id="other")
        (address,) = await server.listeners.open(other, [parse_listen("127.0.0.1:0")])
        limit(server, 1)
        await filled(server, 1)
        assert (await server.once(GET)).status == 503
        reader, writer = await asyncio.open_connection(address.host, address.port)
        assert (await Client(reader, writer).ask()).status == 200
        writer.close()


@on_uvloop
async def test_ports_of_a_task_count_together() -> None:
    async with serving() as server:
        limit(server, 1)
        (second,) = await server.listeners.open(server.backend, [parse_listen("127.0.0.1:0")])
        await filled(server, 1)
        reader, writer = await asyncio.open_connection(second.host, second.port)
        assert (await Client(reader, writer).ask()).status == 503
        writer.close()


@on_uvloop
async def test_a_lower_limit_leaves_those_that_are_there() -> None:
    async with serving() as server:
        clients = await filled(server, 4)
        limit(server, 2)
        for client in clients:
            assert (await client.ask()).status == 200
        assert (await server.once(GET)).status == 503
        clients[0].leave()
        clients[1].leave()
        await server.wait_connections(2)
        assert (await server.once(GET)).status == 503
        limit(server, None)
        assert (await server.once(GET)).status == 200


@on_uvloop
async def test_in_line_those_who_are_too_many_wait_until_one_leaves() -> None:
    async with serving(full_task="backlog") as server:
        limit(server, 2)
        first, second = await filled(server, 2)
        waiting = await server.client()
        waiting.send(GET)
        late = await server.client()
        late.send(GET)
        await asyncio.sleep(SHORT_S)
        assert server.connections == 2
        assert not server.backend.asked
        first.leave()
        assert (await waiting.response()).status == 200
        second.leave()
        assert (await late.response()).status == 200
        assert refused(server) == 0


@on_uvloop
async def test_a_crowd_gets_in_one_after_the_other() -> None:
    async with serving(full_task="backlog") as server:
        limit(server, 3)

        async def visit() -> int:
            client = await server.client()
            response = await client.ask(GET)
            most.append(server.connections)
            client.leave()
            return response.status

        most: list[int] = []
        assert await asyncio.gather(*(visit() for _ in range(60))) == [200] * 60
        assert max(most) <= 3
        await server.wait_connections(0)
        assert (await server.once(GET)).status == 200


@on_uvloop
async def test_a_higher_limit_lets_in_who_waits() -> None:
    async with serving(full_task="backlog") as server:
        limit(server, 1)
        await filled(server, 1)
        clients = [await server.client() for _ in range(5)]
        for client in clients:
            client.send(GET)
        limit(server, 4)
        await server.wait_connections(4)
        limit(server, None)
        for client in clients:
            assert (await client.response()).status == 200


@on_uvloop
async def test_who_leaves_the_line_is_not_waited_for() -> None:
    async with serving(full_task="backlog") as server:
        limit(server, 1)
        (first,) = await filled(server, 1)
        for _ in range(5):
            (await server.client()).leave()
        stays = await server.client()
        stays.send(GET)
        first.leave()
        assert (await stays.response()).status == 200


@on_uvloop
async def test_a_port_that_is_opened_while_its_task_is_full_accepts_later() -> None:
    async with serving(full_task="backlog") as server:
        limit(server, 1)
        (first,) = await filled(server, 1)
        (second,) = await server.listeners.open(server.backend, [parse_listen("127.0.0.1:0")])
        reader, writer = await asyncio.open_connection(second.host, second.port)
        client = Client(reader, writer)
        client.send(GET)
        await asyncio.sleep(SHORT_S)
        assert not server.backend.asked
        first.leave()
        assert (await client.response()).status == 200
        writer.close()


@on_uvloop
async def test_a_full_task_stays_shut_while_the_process_hands_over() -> None:
    async with serving(full_task="backlog") as server:
        limit(server, 1)
        (first,) = await filled(server, 1)
        server.listeners.pause()
        await server.listeners.resume()
        waiting = await server.client()
        waiting.send(GET)
        await asyncio.sleep(SHORT_S)
        assert server.connections == 1
        server.listeners.pause()
        first.leave()
        await server.wait_connections(0)
        await asyncio.sleep(SHORT_S)
        assert not server.backend.asked
        await server.listeners.resume()
        assert (await waiting.response()).status == 200


@on_uvloop
async def test_closing_a_full_task_ends_its_line() -> None:
    async with serving(never, full_task="backlog") as server:
        limit(server, 1)
        crowd = [await server.client() for _ in range(20)]  # some of them are accepted before it is known to be full
        for client in crowd:
            client.send(GET)
        await server.backend.wait_asked(1)
        server.listeners.close(server.backend)
        done = [await asyncio.gather(*(client.closed() for client in crowd[1:]))]
        assert done == [[b""] * 19]


@on_uvloop
async def test_draining_answers_those_who_were_let_in_and_leaves_nobody() -> None:
    async with serving(full_task="backlog") as server:
        limit(server, 1)
        crowd = [await server.client() for _ in range(10)]
        for client in crowd:
            client.send(GET)
        await server.wait_connections(1)
        await server.listeners.drain(30.0)
        assert server.listeners.connection_count == 0
        for client in crowd:
            assert (await client.closed()).count(b"HTTP/1.1 200") <= 1


@on_uvloop
async def test_more_than_can_be_kept_in_line_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shared, "MOST_PARKED", 0)
    async with serving(never, full_task="backlog") as server:
        limit(server, 1)
        streams = await asyncio.gather(*(server.client() for _ in range(40)))
        await server.wait_connections(1)
        hearing = [asyncio.create_task(each.reader.read(1)) for each in streams]
        while sum(each.done() for each in hearing) < refused(server):
            await asyncio.sleep(0.002)
        await asyncio.sleep(SHORT_S)
        assert [each.result() for each in hearing if each.done()] == [b"H"] * refused(server)
        for each in hearing:
            each.cancel()


@on_uvloop
async def test_the_host_may_be_full_when_there_is_room_in_the_task() -> None:
    async with serving(connections=1, full_task="backlog") as server:
        limit(server, 5)
        (first,) = await filled(server, 1)
        assert (await server.once(GET)).problem["detail"].startswith("The host")
        assert server.listeners.turned_away == 1
        assert (await first.ask()).status == 200


@on_uvloop
async def test_counts_stay_when_ports_close_and_go_when_the_task_is_forgotten() -> None:
    async with serving() as server:
        limit(server, 1)
        (first,) = await filled(server, 1)
        assert (await first.ask()).status == 200
        assert (await server.once(GET)).status == 503
        server.listeners.close(server.backend)
        task = server.backend.task_id
        seen = server.listeners.usage(task)
        assert seen.refused == 1
        assert seen.received >= len(GET)
        server.listeners.forget(task)
        assert server.listeners.usage(task).refused == 0


@on_uvloop
async def test_connections_count_for_the_task_that_their_port_went_to() -> None:
    async with serving() as server:
        client, _ = await filled(server, 2)
        new = FakeBackend(task_id="new")
        server.listeners.limit("new", NetHold(connections=2))
        server.listeners.swap(server.backend, new)
        assert server.listeners.usage("new").connections == 2
        assert server.listeners.usage(server.backend.task_id).connections == 0
        assert (await client.ask()).status == 200
        assert (await server.once(GET)).status == 503
        client.leave()
        await server.wait_connections(1)
        assert (await server.once(GET)).status == 200
