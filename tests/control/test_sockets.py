"""The Unix socket: who may open it, whose it is, and how it goes to a successor."""

from __future__ import annotations

import asyncio
import os
import socket
import stat
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from supervisor.control.options import ControlOptions
from supervisor.control.server import ControlServer
from supervisor.errors import ListenError
from supervisor.spec.listen import ListenAddress
from tests.control.asking import TASK, ask, connection, head_of, on_uvloop
from tests.fakes.control import FakeHost

ANY = ListenAddress("tcp", "127.0.0.1", 0)
GRACE = 30.0  # for what is under way at the end and has to come to one, however busy the machine is


@on_uvloop
async def test_it_is_for_its_owner_alone_and_goes_at_the_end(host: FakeHost, options: ControlOptions) -> None:
    before = os.umask(0)
    try:
        async with ControlServer(host, options) as server:
            found = os.lstat(options.socket)
            assert stat.S_ISSOCK(found.st_mode)
            assert stat.S_IMODE(found.st_mode) == 0o600
            assert stat.S_IMODE(options.uploads.stat().st_mode) == 0o700
            assert server.addresses == (f"unix:{options.socket}",)
        assert not options.socket.exists()
    finally:
        os.umask(before)


@on_uvloop
async def test_a_second_host_is_refused_and_the_first_goes_on(host: FakeHost, options: ControlOptions) -> None:
    async with ControlServer(host, options):
        with pytest.raises(ListenError, match="another process holds its lock"):
            async with ControlServer(host, options):
                pass
        assert (await ask(options.socket, "GET", "/v1/tasks")).status == 200
    async with ControlServer(host, options):
        assert (await ask(options.socket, "GET", "/v1/tasks")).status == 200


@on_uvloop
async def test_what_a_crash_left_is_replaced(host: FakeHost, options: ControlOptions) -> None:
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(os.fspath(options.socket))
        left.listen()
    async with ControlServer(host, options):
        assert (await ask(options.socket, "GET", "/v1/tasks")).status == 200


@on_uvloop
async def test_what_is_not_ours_is_left_alone(host: FakeHost, options: ControlOptions) -> None:
    options.socket.write_text("mine")
    with pytest.raises(ListenError, match="no socket"):
        async with ControlServer(host, options):
            pass
    assert options.socket.read_text() == "mine"
    options.socket.unlink()
    with socket.socket(socket.AF_UNIX) as other:  # of a program that knows no locks
        other.bind(os.fspath(options.socket))
        other.listen()
        with pytest.raises(ListenError, match="in use"):
            async with ControlServer(host, options):
                pass
        assert options.socket.exists()
    options.socket.unlink()
    async with ControlServer(host, options):
        options.socket.unlink()
        options.socket.write_text("somebody else's")
    assert options.socket.read_text() == "somebody else's"


def test_paths_where_no_socket_can_be(host: FakeHost, options: ControlOptions, folder: Path) -> None:
    (folder / "file").write_text("")
    (folder / "link.lock").symlink_to(folder / "file")
    cases = [(folder / "no" / "c.sock", "does not exist"), (folder / "file" / "c.sock", "not a folder"),
             (folder / ("a" * 108), "longer than 107"), (folder / "link", "symbolic links")]  # fmt: skip

    @on_uvloop
    async def run() -> None:
        for path, what in cases:
            with pytest.raises(ListenError, match=what):
                async with ControlServer(host, replace(options, socket=path)):
                    pass

    run()


@on_uvloop
async def test_a_folder_of_uploads_that_cannot_be_is_told(host: FakeHost, options: ControlOptions) -> None:
    options.uploads.write_text("")
    with pytest.raises(ListenError, match="uploads cannot be made"):
        async with ControlServer(host, options):
            pass
    assert not options.socket.exists()


@on_uvloop
async def test_a_successor_takes_over_without_a_refused_connection(host: FakeHost, options: ControlOptions) -> None:
    both = replace(options, metrics=ANY, grace=GRACE)
    successor = FakeHost()
    failed: list[BaseException] = []
    served = [0, 0]
    over = asyncio.Event()

    async def keep_asking() -> None:
        while not over.is_set():
            try:
                reply = await ask(options.socket, "GET", "/v1/tasks")
                served[len(reply.json)] += 1
            except (OSError, asyncio.IncompleteReadError) as error:
                failed.append(error)

    await successor.apply(TASK, bundle=None, dry_run=False)
    old = ControlServer(host, both)
    await old.__aenter__()
    asking = [asyncio.create_task(keep_asking()) for _ in range(4)]
    given = {name: os.dup(descriptor) for name, descriptor in old.handles().items()}
    assert len(given) == 3
    async with ControlServer(successor, both, given=given, paused=True) as new:
        assert new.addresses == old.addresses
        while served[0] < 20:
            await asyncio.sleep(0.001)
        assert served[1] == 0
        await new.resume()
        old.release()
        await old.__aexit__(None, None, None)
        while served[1] < 20:
            await asyncio.sleep(0.001)
        over.set()
        await asyncio.gather(*asking)
        assert not failed
        assert (await ask(int(new.addresses[1].rpartition(":")[2]), "GET", "/healthz")).status == 200
        with pytest.raises(ListenError, match="lock"):  # which came along
            async with ControlServer(host, options):
                pass
    assert not options.socket.exists()


@on_uvloop
async def test_the_answer_to_upgrade_arrives_after_the_release(host: FakeHost, options: ControlOptions) -> None:
    host.gate = asyncio.Event()
    async with ControlServer(host, replace(options, grace=GRACE)) as server:
        reply = asyncio.create_task(ask(options.socket, "PUT", "/v1/tasks/shop", TASK))
        while not host.asked("apply"):
            await asyncio.sleep(0.001)
        async with connection(options.socket) as (reader, writer):
            writer.write(b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n")
            assert (await head_of(reader))[0] == 200
            server.release()
            await reader.read()  # an idle connection is closed: its next request belongs to the successor
        host.gate.set()
        assert (await reply).status == 201


@on_uvloop
async def test_a_successor_that_gives_up_leaves_everything(host: FakeHost, options: ControlOptions) -> None:
    async with ControlServer(host, options) as old:
        given = {name: os.dup(descriptor) for name, descriptor in old.handles().items()}
        async with ControlServer(FakeHost(), options, given=given, paused=True):
            pass
        assert options.socket.exists()
        assert (await ask(options.socket, "GET", "/v1/tasks")).status == 200
        with pytest.raises(ListenError, match="lock"):
            async with ControlServer(host, options):
                pass


@on_uvloop
async def test_given_sockets_of_other_settings_are_closed(host: FakeHost, options: ControlOptions) -> None:
    async with ControlServer(host, replace(options, metrics=ANY)) as old:
        given = {name: os.dup(descriptor) for name, descriptor in old.handles().items()}
        old.release()
        moved = replace(options, socket=options.socket.with_name("moved"))
        async with ControlServer(host, moved, given=given):
            assert (await ask(moved.socket, "GET", "/v1/tasks")).status == 200
        for descriptor in given.values():
            with pytest.raises(OSError, match="Bad file descriptor"):
                os.fstat(descriptor)


def test_after_kill_9_a_host_starts_again(options: ControlOptions) -> None:
    code = f"""
import asyncio, sys
from pathlib import Path
from supervisor.control.options import ControlOptions
from supervisor.control.server import ControlServer
from tests.fakes.control import FakeHost
async def main():
    async with ControlServer(FakeHost(), ControlOptions(Path({str(options.socket)!r}), Path({str(options.uploads)!r}))):
        print("ready", flush=True)
        await asyncio.sleep(60)
asyncio.run(main())
"""
    for _ in range(2):
        with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == b"ready\n"
            process.kill()
    assert options.socket.exists()
