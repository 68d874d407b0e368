"""Addresses: TCP over both IP versions, names, Unix sockets, and every way in which one cannot be had."""

from __future__ import annotations

import asyncio
import os
import socket
import stat
from pathlib import Path

import pytest

from supervisor.errors import ListenError
from supervisor.ingress.listeners import Listeners
from supervisor.ingress.options import IngressOptions
from supervisor.spec.listen import ListenAddress, parse_listen
from tests.fakes.backend import FakeBackend
from tests.ingress.harness import GET, on_uvloop


def has_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6) as sock:
            sock.bind(("::1", 0))
    except OSError:
        return False
    return True


needs_ipv6 = pytest.mark.skipif(not has_ipv6(), reason="this machine has no IPv6")


async def _ask(address: ListenAddress) -> bytes:
    if address.kind == "unix":
        reader, writer = await asyncio.open_unix_connection(address.path)
    else:
        reader, writer = await asyncio.open_connection(address.host, address.port)
    writer.write(GET.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
    try:
        return await reader.read()
    finally:
        writer.close()


@on_uvloop
async def test_several_addresses_of_a_task_and_their_ports() -> None:
    async with Listeners() as listeners:
        addresses = await listeners.open(FakeBackend(), [parse_listen("127.0.0.1:0"), parse_listen("127.0.0.2:0")])
        assert [address.host for address in addresses] == ["127.0.0.1", "127.0.0.2"]
        for address in addresses:
            assert address.port > 0
            assert b"hello /" in await _ask(address)


@needs_ipv6
@on_uvloop
async def test_ipv6_beside_ipv4_on_the_same_port() -> None:
    async with Listeners() as listeners:
        (four,) = await listeners.open(FakeBackend(), [parse_listen("0.0.0.0:0")])
        (six,) = await listeners.open(FakeBackend(), [parse_listen(f"[::]:{four.port}")])
        assert str(six) == f"[::]:{four.port}"
        assert b"hello /" in await _ask(ListenAddress("tcp", "::1", six.port))


@on_uvloop
async def test_localhost_listens_on_every_address_it_has_with_one_port() -> None:
    async with Listeners() as listeners:
        addresses = await listeners.open(FakeBackend(), [parse_listen("localhost:0")])
        assert len({address.port for address in addresses}) == 1
        for address in addresses:
            assert b"hello /" in await _ask(address)


@on_uvloop
async def test_connections_are_counted_per_address() -> None:
    async with Listeners() as listeners:
        one, two = await listeners.open(FakeBackend(), [parse_listen("127.0.0.1:0"), parse_listen("127.0.0.1:0")])
        _, writer = await asyncio.open_connection(one.host, one.port)
        while listeners.connections() != {one: 1, two: 0}:
            await asyncio.sleep(0.002)
        writer.close()
        while listeners.connections() != {one: 0, two: 0}:
            await asyncio.sleep(0.002)


@on_uvloop
async def test_a_port_in_use_is_named_and_nothing_of_the_task_listens() -> None:
    async with Listeners() as listeners:
        (taken,) = await listeners.open(FakeBackend(), [parse_listen("127.0.0.1:0")])
        with pytest.raises(ListenError, match=rf"127\.0\.0\.1:{taken.port}: the address is in use") as caught:
            await listeners.open(FakeBackend(), [parse_listen("127.0.0.1:0"), taken])
        assert caught.value.exit_code == 1
        assert "port 0" in str(caught.value)
        assert list(listeners.connections()) == [taken]


@on_uvloop
async def test_a_port_can_be_had_again_at_once() -> None:
    async with Listeners() as listeners:
        backend = FakeBackend()
        (address,) = await listeners.open(backend, [parse_listen("127.0.0.1:0")])
        await _ask(address)  # the server closed first: its end of the connection stays in TIME_WAIT
        listeners.close(backend)
        assert await listeners.open(backend, [address]) == (address,)
        assert b"hello /" in await _ask(address)


@on_uvloop
async def test_an_address_that_the_machine_does_not_have() -> None:
    async with Listeners() as listeners:
        with pytest.raises(ListenError, match=r"192\.0\.2\.1:80.*this machine has no such address"):
            await listeners.open(FakeBackend(), [parse_listen("192.0.2.1:80")])


@on_uvloop
async def test_a_name_that_nobody_knows() -> None:
    async with Listeners() as listeners:
        with pytest.raises(ListenError, match=r"no-such-host\.invalid:80"):
            await listeners.open(FakeBackend(), [parse_listen("no-such-host.invalid:80")])


def may_bind_any_port() -> bool:
    return os.geteuid() == 0 or int(Path("/proc/sys/net/ipv4/ip_unprivileged_port_start").read_text()) <= 1


@pytest.mark.skipif(may_bind_any_port(), reason="this user may bind any port")
@on_uvloop
async def test_a_port_for_root_alone() -> None:
    async with Listeners() as listeners:
        with pytest.raises(ListenError, match="not permitted"):
            await listeners.open(FakeBackend(), [parse_listen("127.0.0.1:1")])


# Unix sockets


def unix(path: Path) -> ListenAddress:
    return ListenAddress("unix", path=str(path))


@on_uvloop
async def test_a_unix_socket_has_its_mode_serves_and_is_removed(tmp_path: Path) -> None:
    path = tmp_path / "s"
    async with Listeners(IngressOptions(unix_mode=0o600)) as listeners:
        assert await listeners.open(FakeBackend(), [unix(path)]) == (unix(path),)
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert b"hello /" in await _ask(unix(path))
    assert not path.exists()


@on_uvloop
async def test_a_stale_socket_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "s"
    with socket.socket(socket.AF_UNIX) as stale:
        stale.bind(str(path))
    async with Listeners() as listeners:
        await listeners.open(FakeBackend(), [unix(path)])
        assert b"hello /" in await _ask(unix(path))


@on_uvloop
async def test_a_socket_somebody_listens_on_stays(tmp_path: Path) -> None:
    path = tmp_path / "s"
    with socket.socket(socket.AF_UNIX) as other:
        other.bind(str(path))
        other.listen()
        before = path.stat().st_ino
        async with Listeners() as listeners:
            with pytest.raises(ListenError, match="the address is in use"):
                await listeners.open(FakeBackend(), [unix(path)])
        assert path.stat().st_ino == before


@on_uvloop
async def test_a_file_that_is_no_socket_stays(tmp_path: Path) -> None:
    path = tmp_path / "s"
    path.write_text("precious")
    async with Listeners() as listeners:
        with pytest.raises(ListenError, match="a file that is no socket is there"):
            await listeners.open(FakeBackend(), [unix(path)])
    assert path.read_text() == "precious"


@on_uvloop
async def test_a_link_is_not_followed(tmp_path: Path) -> None:
    target, path = tmp_path / "target", tmp_path / "s"
    with socket.socket(socket.AF_UNIX) as stale:
        stale.bind(str(target))
    path.symlink_to(target)
    async with Listeners() as listeners:
        with pytest.raises(ListenError, match="no socket is there"):
            await listeners.open(FakeBackend(), [unix(path)])
    assert target.exists()


@on_uvloop
async def test_a_socket_that_took_our_place_stays_at_the_end(tmp_path: Path) -> None:
    path = tmp_path / "s"
    async with Listeners() as listeners:
        await listeners.open(FakeBackend(), [unix(path)])
        path.unlink()
        path.write_text("somebody else's")
    assert path.read_text() == "somebody else's"


@on_uvloop
async def test_a_folder_that_does_not_exist(tmp_path: Path) -> None:
    async with Listeners() as listeners:
        with pytest.raises(ListenError, match="the folder of the socket does not exist"):
            await listeners.open(FakeBackend(), [unix(tmp_path / "none" / "s")])


@on_uvloop
async def test_two_tasks_cannot_have_the_same_unix_socket(tmp_path: Path) -> None:
    async with Listeners() as listeners:
        await listeners.open(FakeBackend(), [unix(tmp_path / "s")])
        with pytest.raises(ListenError, match="in use"):
            await listeners.open(FakeBackend(), [unix(tmp_path / "s")])
        assert b"hello /" in await _ask(unix(tmp_path / "s"))


def test_listeners_outside_their_context_say_so() -> None:
    with pytest.raises(RuntimeError, match="async with"):
        Listeners().abort_all()
