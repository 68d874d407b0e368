"""More connections than the process takes."""

from __future__ import annotations

import asyncio

import pytest

from supervisor.ingress import surplus
from supervisor.ingress.options import IngressOptions
from supervisor.pool.exchange import Failure
from tests.fakes.backend import never
from tests.ingress.harness import GET, Client, Response, Server, on_uvloop, serving


async def filled(server: Server, count: int) -> list[Client]:
    clients = [await server.client() for _ in range(count)]
    await server.wait_connections(count)
    return clients


@on_uvloop
async def test_one_too_many_hears_503_with_a_time_and_is_closed() -> None:
    async with serving(connections=2) as server:
        first, _ = await filled(server, 2)
        client = await server.client()
        response: Response = await client.ask()
        assert (response.status, response.header(b"retry-after")) == (503, b"1")
        assert response.header(b"connection") == b"close"
        assert response.problem["reason"] == "connections-full"
        assert await client.closed() == b""
        assert server.listeners.turned_away == 1
        assert server.listeners.connection_count == 2
        assert (await first.ask()).body == b"hello /", "those that are there are served"


@on_uvloop
async def test_there_is_room_again_once_one_has_gone() -> None:
    async with serving(connections=1) as server:
        (first,) = await filled(server, 1)
        first.leave()
        await server.wait_connections(0)
        assert (await (await server.client()).ask()).body == b"hello /"
        assert server.listeners.turned_away == 0


@on_uvloop
async def test_a_flood_is_turned_away_and_counted() -> None:
    async with serving(never, connections=4) as server:
        await filled(server, 4)
        clients = [await server.client() for _ in range(50)]
        heads = await asyncio.gather(*(client.closed() for client in clients))
        assert all(head.startswith(b"HTTP/1.1 503 ") for head in heads)
        assert server.listeners.turned_away == 50
        assert server.listeners.connection_count == 4


@on_uvloop
async def test_clients_that_do_not_go_are_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    async with serving(connections=1, linger=0.05) as server:
        await filled(server, 1)
        client = await server.client()
        assert b"503" in await client.closed()  # and our side of it stays open
        shared = server.listeners._shared()
        while shared._surplus:
            await asyncio.sleep(0.01)


@on_uvloop
async def test_more_than_can_be_told_are_cut_off_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("supervisor.ingress.server.MOST_SURPLUS", 1)
    async with serving(connections=1, linger=60.0) as server:
        await filled(server, 1)
        told, cut = await server.client(), await server.client()
        assert b"503" in await told.reader.readuntil(b"}")
        assert await cut.closed() == b""
        assert server.listeners.turned_away == 2
        assert surplus.MOST_SURPLUS > 1
    assert await told.closed() == b"", "the end of the server is theirs, too"


@on_uvloop
async def test_none_is_no_bound() -> None:
    async with serving(connections=None) as server:
        for client in await filled(server, 20):
            assert (await client.ask()).status == 200


def test_a_bound_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="connections is 0"):
        IngressOptions(connections=0)


@pytest.mark.parametrize(
    ("field", "told"), [(b"X-Request-ID: a-1\r\n", "a-1"), (b"", None), (b"x-request-id: a b\r\n", None)]
)
def test_a_failure_carries_the_id_that_the_client_gave_its_request(field: bytes, told: str | None) -> None:
    @on_uvloop
    async def check() -> None:
        failure = Failure(503, "backoff", "The program keeps failing", "Later.", 7)
        async with serving(lambda asked: asked.fail(failure)) as server:
            response = await server.once(b"GET / HTTP/1.1\r\nHost: a\r\n" + field + b"\r\n")
            assert response.problem.get("requestId") == told
            server.backend.refusal = failure
            response = await server.once(GET.replace(b"\r\n\r\n", b"\r\n" + field + b"\r\n"))
            assert response.problem.get("requestId") == told

    check()
