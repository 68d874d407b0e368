"""SO_PRIORITY of the connections of a task: from their first byte on, and when it changes."""

from __future__ import annotations

import errno
import socket

import pytest

from supervisor.ingress import priority
from supervisor.ingress.traffic import NetHold
from supervisor.limits.capabilities import NET_ADMIN, held_capabilities
from tests.ingress.harness import Server, logged, on_uvloop, serving

CLASS = 0x15A10010  # as the shaper makes them


def priorities(server: Server) -> set[int]:
    found = set()
    for connection in server.listeners._connections():
        assert connection.transport is not None
        sock = connection.transport.get_extra_info("socket")
        found.add(sock.getsockopt(socket.SOL_SOCKET, socket.SO_PRIORITY))
    return found


def limit(server: Server, number: int | None, **more: int) -> None:
    server.listeners.limit(server.backend.task_id, NetHold(priority=number, **more))


@on_uvloop
async def test_connections_have_it_and_change_it_while_they_are_open() -> None:
    async with serving() as server:
        before = await server.client()
        assert (await before.ask()).status == 200
        assert priorities(server) == {0}
        limit(server, 5)
        assert priorities(server) == {5}
        assert (await (await server.client()).ask()).status == 200
        assert priorities(server) == {5}
        limit(server, 6, ingress=8_000_000)
        assert (await (await server.client()).ask()).status == 200
        assert priorities(server) == {6}
        limit(server, None)
        assert priorities(server) == {0}
        assert (await before.ask()).status == 200


@pytest.mark.skipif(NET_ADMIN not in held_capabilities(), reason="a class of traffic needs CAP_NET_ADMIN")
def test_it_can_be_that_of_a_class_of_traffic() -> None:
    @on_uvloop
    async def check() -> None:
        async with serving() as server:
            limit(server, CLASS)
            assert (await (await server.client()).ask()).status == 200
            assert priorities(server) == {CLASS}

    check()


@on_uvloop
async def test_who_waited_for_room_has_it_too() -> None:
    async with serving(full_task="backlog") as server:
        limit(server, 4, connections=1)
        clients = [await server.client() for _ in range(8)]
        clients[0].leave()
        limit(server, 5, connections=8)
        for client in clients[1:]:
            assert (await client.ask()).status == 200
        assert priorities(server) == {5}


def test_without_the_right_nothing_fails_and_it_is_told_once(monkeypatch: pytest.MonkeyPatch) -> None:
    class Transport:
        """That of a process without capabilities."""

        def get_extra_info(self, _name: str) -> Transport:
            return self

        def setsockopt(self, *_: int) -> None:
            raise PermissionError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(priority, "_refused", set())
    with logged("supervisor.ingress.priority") as lines:
        for _ in range(3):
            priority.set_priority(Transport(), CLASS)  # type: ignore[arg-type]
    (line,) = lines
    assert "limits.net.egress" in line
