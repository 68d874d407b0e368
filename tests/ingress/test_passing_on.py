"""Listening sockets that go from one process to another; here both are listeners in one."""

from __future__ import annotations

import asyncio
import gc
import os
import socket
from pathlib import Path

import pytest

from supervisor.errors import ListenError
from supervisor.ingress.listeners import Listeners
from supervisor.ingress.options import IngressOptions
from supervisor.spec.listen import ListenAddress, parse_listen
from tests.fakes.backend import FakeBackend, never
from tests.ingress.harness import GET, on_uvloop
from tests.ingress.test_changing_hands import ANY, refused, says

LAST = GET.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")


async def ask(address: ListenAddress) -> bytes:
    if address.kind == "unix":
        reader, writer = await asyncio.open_unix_connection(address.path)
    else:
        reader, writer = await asyncio.open_connection(address.host, address.port)
    writer.write(LAST)
    try:
        return await reader.read()
    finally:
        writer.close()


def passed(listeners: Listeners) -> dict[str, list[socket.socket]]:
    """The sockets as another process gets them: duplicates."""
    given: dict[str, list[socket.socket]] = {}
    for each in listeners.sockets():
        given.setdefault(str(each.asked), []).append(each.sock.dup())
    return given


def files() -> int:
    """Open ones, without those that only wait to be collected."""
    gc.collect()
    return len(os.listdir("/proc/self/fd"))


async def wait_files(count: int) -> None:
    """Returns when no more are open than that."""
    while files() > count:
        await asyncio.sleep(0.01)


@pytest.mark.parametrize("name", ["127.0.0.1:0", "localhost:0", "[::1]:0", "unix:"])
def test_a_successor_answers_at_the_same_addresses(name: str, tmp_path: Path) -> None:
    @on_uvloop
    async def check() -> None:
        asked = parse_listen(f"unix:{tmp_path}/s" if name == "unix:" else name)
        async with Listeners() as old, Listeners() as new:
            try:
                bound = await old.open(says(b"old"), [asked])
            except ListenError:
                pytest.skip("this machine has no IPv6")
            assert await new.open(says(b"new"), [asked], passed(old)) == bound
            old.release()
            assert not old.connections()
            for address in bound:
                for _ in range(3):
                    assert (await ask(address)).endswith(b"new")
        assert not os.path.exists(f"{tmp_path}/s")

    check()


@on_uvloop
async def test_sockets_are_told_with_their_task_and_their_addresses() -> None:
    async with Listeners() as listeners:
        (bound,) = await listeners.open(FakeBackend(task_id="t"), [ANY])
        (each,) = listeners.sockets()
        assert each[:3] == ("t", ANY, bound)
        assert each.sock.getsockname() == (bound.host, bound.port)


@on_uvloop
async def test_connections_go_on_after_a_release_until_they_are_drained() -> None:
    async with Listeners(IngressOptions(idle_grace=30.0)) as old, Listeners() as new:
        (address,) = await old.open(says(b"old"), [ANY])
        reader, writer = await asyncio.open_connection(address.host, address.port)
        writer.write(GET)
        await reader.readuntil(b"old")
        await new.open(says(b"new"), [ANY], passed(old))
        old.release()
        writer.write(GET)
        await reader.readuntil(b"old")
        drain = asyncio.create_task(old.drain(3600))
        await asyncio.sleep(0.01)
        writer.write(GET)
        assert b"Connection: close" in await reader.read()
        await drain
        assert (await ask(address)).endswith(b"new")
        writer.close()


@on_uvloop
async def test_no_request_is_lost_while_a_port_changes_process() -> None:
    async with Listeners() as old, Listeners() as new:
        (address,) = await old.open(says(b"old"), [ANY])
        answers: list[bytes] = []
        over = asyncio.Event()

        async def ask_on() -> None:
            while not over.is_set():
                answers.append((await ask(address))[-3:])

        asking = [asyncio.create_task(ask_on()) for _ in range(8)]
        while len(answers) < 50:
            await asyncio.sleep(0.005)
        new.pause()
        await new.open(says(b"new"), [ANY], passed(old))
        old.release()
        await asyncio.sleep(0.02)  # nobody accepts: they wait in the socket
        await new.resume()
        while answers.count(b"new") < 50:
            await asyncio.sleep(0.005)
        over.set()
        await asyncio.gather(*asking)
        assert set(answers) == {b"old", b"new"}


@on_uvloop
async def test_a_port_opened_while_paused_lets_connections_wait() -> None:
    async with Listeners() as listeners:
        listeners.pause()
        (address,) = await listeners.open(FakeBackend(), [ANY])
        asking = asyncio.create_task(ask(address))
        await asyncio.sleep(0.05)
        assert not asking.done()
        assert listeners.connection_count == 0
        await listeners.resume()
        assert b"hello" in await asking


@on_uvloop
async def test_an_open_port_can_be_paused_again_and_again(tmp_path: Path) -> None:
    async with Listeners() as listeners:
        addresses = await listeners.open(FakeBackend(), [ANY, ListenAddress("unix", path=str(tmp_path / "s"))])
        before = files()
        for _ in range(3):
            listeners.pause()
            asking = [asyncio.create_task(ask(address)) for address in addresses]
            await asyncio.sleep(0.02)
            assert not any(each.done() for each in asking)
            await listeners.resume()
            for each in asking:
                assert b"hello" in await each
        await wait_files(before)
    assert not (tmp_path / "s").exists()


@on_uvloop
async def test_a_port_in_use_is_told_while_paused_too() -> None:
    async with Listeners() as listeners, Listeners() as other:
        (taken,) = await other.open(FakeBackend(), [ANY])
        listeners.pause()
        with pytest.raises(ListenError, match="in use"):
            await listeners.open(FakeBackend(), [taken])


@on_uvloop
async def test_paused_ports_end_like_others() -> None:
    async with Listeners() as listeners:
        listeners.pause()
        (address,) = await listeners.open(FakeBackend(), [ANY])
        await listeners.drain(0)
    assert await refused(address)


@on_uvloop
async def test_a_released_unix_socket_stays_and_one_that_is_closed_goes(tmp_path: Path) -> None:
    path = tmp_path / "s"
    address = ListenAddress("unix", path=str(path))
    async with Listeners() as old:
        await old.open(FakeBackend(), [address])
        old.release()
    assert path.exists()
    async with Listeners() as new:  # nobody has its socket any more: it is a stale one
        await new.open(FakeBackend(), [address])
    assert not path.exists()


@on_uvloop
async def test_a_unix_socket_whose_file_somebody_took_is_served_and_the_file_stays(tmp_path: Path) -> None:
    path = tmp_path / "s"
    address = ListenAddress("unix", path=str(path))
    async with Listeners() as old, Listeners() as new:
        await old.open(FakeBackend(), [address])
        path.unlink()
        path.write_text("precious")
        await new.open(FakeBackend(), [address], passed(old))
        old.release()
    assert path.read_text() == "precious"


@on_uvloop
async def test_port_0_twice_has_two_ports_after_a_hand_over_too() -> None:
    async with Listeners() as old, Listeners() as new:
        bound = await old.open(FakeBackend(), [ANY, ANY])
        assert sorted(await new.open(FakeBackend(), [ANY, ANY], passed(old)), key=str) == sorted(bound, key=str)


@on_uvloop
async def test_addresses_that_were_not_given_are_bound() -> None:
    async with Listeners() as old, Listeners() as new:
        (bound,) = await old.open(FakeBackend(), [ANY])
        first, second = await new.open(FakeBackend(), [ANY, parse_listen("127.0.0.2:0")], passed(old))
        assert first == bound
        assert second.host == "127.0.0.2"


@pytest.mark.parametrize("kind", [socket.SOCK_DGRAM, "unix"])
def test_a_socket_of_another_kind_is_refused_and_nothing_is_left_open(kind: object) -> None:
    @on_uvloop
    async def check() -> None:
        async with Listeners() as listeners:
            await listeners.open(FakeBackend(), [ANY])
            before = files()
            family = socket.AF_UNIX if kind == "unix" else socket.AF_INET
            wrong = socket.socket(family, socket.SOCK_STREAM if kind == "unix" else socket.SOCK_DGRAM)
            good = socket.create_server(("127.0.0.1", 0))
            with pytest.raises(ListenError, match="of another kind"):
                await listeners.open(FakeBackend(), [ANY], {str(ANY): [good, wrong]})
            assert (good.fileno(), wrong.fileno()) == (-1, -1)
            await wait_files(before)

    check()


@on_uvloop
async def test_leaving_with_requests_in_flight_after_a_release_leaves_nothing() -> None:
    backend = FakeBackend(never)
    async with Listeners() as listeners:
        (address,) = await listeners.open(backend, [ANY])
        reader, writer = await asyncio.open_connection(address.host, address.port)
        writer.write(GET)
        asked = await backend.wait_asked(1)
        listeners.release()
    assert asked.aborted
    assert await reader.read() == b""
    writer.close()
