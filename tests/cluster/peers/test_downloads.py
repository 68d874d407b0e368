"""Bundles travel from host to host whole, or not at all."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from supervisor.cluster.peers import downloads
from supervisor.cluster.peers.downloads import DownloadOptions, Downloads
from supervisor.cluster.peers.psk import KeyRing
from supervisor.cluster.peers.wire import Wire
from supervisor.state.archive import pack
from supervisor.state.bundles import Bundles
from tests.cluster.peers.hosts import KEY, Peer, answer, member, nobody, peer, saying
from tests.control.asking import on_uvloop
from tests.fakes.relay import relay
from tests.state.archives import tree

FILES = {"app.js": "export default 1", "lib/a.js": "a" * 100_000, "lib/.git/HEAD": "of a program"}
BUNDLE = "application/octet-stream"


class Receiver:
    """A host that fetches: its store, and what it has seen of the files on their way."""

    def __init__(self, folder: Path, wire: Wire, size: int = 64 << 20, within_s: float = 60.0) -> None:
        self.bundles = Bundles(folder / "received")
        self.folder = folder / "coming"
        self.folder.mkdir(exist_ok=True)
        self.options = DownloadOptions(self.folder, size, within_s=within_s)
        self.added = 0
        self.downloads = Downloads(wire, self.options, self.bundles.has, self.add)

    async def add(self, archive: Path) -> str:
        self.added += 1
        return await asyncio.to_thread(self.bundles.add, archive)

    def check_nothing_is_left(self) -> None:
        assert os.listdir(self.folder) == []


@asynccontextmanager
async def receiver(folder: Path, size: int = 64 << 20, within_s: float = 60.0) -> AsyncIterator[Receiver]:
    async with Wire(KeyRing([KEY])) as wire:
        made = Receiver(folder, wire, size, within_s)
        yield made
        made.check_nothing_is_left()


def stored(host: Peer, folder: Path, files: dict[str, str]) -> str:
    """The digest of a bundle that the host has now."""
    folder.mkdir(exist_ok=True)
    app = tree(folder / f"app-{host.name}", files)
    with pack(app) as packed:
        archive = folder / "archive"
        archive.write_bytes(packed.file.read())
    return host.bundles.add(archive)


@on_uvloop
async def test_a_bundle_comes_from_a_host_that_has_it(folder: Path) -> None:
    async with peer(folder) as host, receiver(folder) as here:
        digest = stored(host, folder, FILES)
        assert await here.downloads.hold(digest, [host.member]) is None
        assert (here.bundles.path(digest) / "lib/a.js").read_text() == FILES["lib/a.js"]
        assert await here.downloads.hold(digest, []) is None  # it is here
        assert here.added == 1


@on_uvloop
async def test_hosts_that_do_not_have_it_or_do_not_answer_are_passed_over(folder: Path) -> None:
    async with peer(folder) as host, peer(folder, "host-2") as without, receiver(folder) as here:
        digest = stored(host, folder, FILES)
        with nobody() as port:
            gone = member("gone", port)
            assert await here.downloads.hold(digest, [gone, without.member]) is not None
            assert "404" in str(await here.downloads.fetch(without.member, digest))
            assert await here.downloads.hold(digest, [gone, without.member, host.member]) is None


@on_uvloop
async def test_a_host_that_is_busy_is_asked_again_and_not_for_ever(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(downloads, "BUSY_S", 0.01)
    async with peer(folder) as host, peer(folder, "host-2") as without:
        digest = stored(host, folder, FILES)
        host.busy = 1_000_000
        async with receiver(folder, within_s=1.5) as here:
            assert await here.downloads.hold(digest, [without.member, host.member]) is not None
        assert host.busy < 1_000_000 - 2
        host.busy = 2
        async with receiver(folder) as here:
            assert await here.downloads.hold(digest, [without.member, host.member]) is None


@on_uvloop
async def test_a_few_are_fetched_at_a_time(folder: Path) -> None:
    async with peer(folder) as host, receiver(folder) as here:
        digests = [stored(host, folder / str(number), {"app.js": str(number)}) for number in range(12)]
        most = 0

        async def look() -> None:
            nonlocal most
            while True:
                most = max(most, len(os.listdir(here.folder)))
                await asyncio.sleep(0)

        looking = asyncio.create_task(look())
        assert not any(await asyncio.gather(*(here.downloads.hold(digest, [host.member]) for digest in digests)))
        looking.cancel()
        assert 1 < most <= here.options.at_once


@on_uvloop
async def test_another_bundle_than_asked_for_is_not_taken_for_it(folder: Path) -> None:
    async with peer(folder) as host, peer(folder, "host-2") as other, receiver(folder) as here:
        digest, wrong = stored(host, folder, FILES), stored(other, folder, {"app.js": "evil"})
        with other.bundles.pack(wrong) as packed:
            data = packed.file.read()
        async with saying(answer(data, media=BUNDLE)) as port:
            impostor = member("impostor", port)
            assert f"sends bundle {wrong} for {digest}" in str(await here.downloads.fetch(impostor, digest))
            assert not here.bundles.has(digest)
            assert await here.downloads.hold(digest, [impostor, host.member]) is None


@pytest.mark.parametrize("what", ["cut", "flipped", "empty", "garbage", "error page", "endless"])
def test_a_broken_archive_is_not_stored(folder: Path, what: str) -> None:
    @on_uvloop
    async def run() -> None:
        async with peer(folder) as host, receiver(folder, size=1_000_000) as here:
            digest = stored(host, folder, FILES)
            with host.bundles.pack(digest) as packed:
                data = packed.file.read()
            said = {
                "cut": answer(data[:-20], media=BUNDLE, length=len(data)),
                "flipped": answer(data[:100] + bytes([data[100] ^ 1]) + data[101:], media=BUNDLE),
                "empty": answer(b"", media=BUNDLE),
                "garbage": answer(b"x" * 5000, media=BUNDLE),
                "error page": answer(data, "500 Oops", BUNDLE),
                "endless": answer(bytes(4_000_000), media=BUNDLE, length=2**40),
            }
            async with saying(said[what]) as port:
                why = await here.downloads.fetch(member("host-2", port), digest)
                assert why is not None
                assert ("1000000 bytes of this host" in why.why) == (what == "endless")
                assert not here.bundles.has(digest)

    run()


@on_uvloop
async def test_a_download_that_takes_too_long_is_given_up(folder: Path) -> None:
    async with Wire(KeyRing([KEY])) as wire:
        here = Receiver(folder, wire, within_s=0.2)

        async def stalls(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(answer(b"x", media=BUNDLE, length=1000))
            await reader.read()
            writer.close()

        server = await asyncio.start_server(stalls, "127.0.0.1", 0, ssl=KeyRing([KEY]).server_context())
        to = member("slow", server.sockets[0].getsockname()[1])
        assert "within 0.2 s" in str(await here.downloads.fetch(to, "ab" * 32))
        here.check_nothing_is_left()
        server.close()


@on_uvloop
async def test_many_tasks_of_one_bundle_fetch_it_once(folder: Path) -> None:
    async with peer(folder) as host, receiver(folder) as here, relay(host.port) as wire:
        digest = stored(host, folder, FILES)
        to = member(host.name, wire.port)
        gone = asyncio.create_task(here.downloads.hold(digest, [to]))
        await asyncio.sleep(0)
        gone.cancel()  # who asked first does not wait: the others still get it
        assert not any(await asyncio.gather(*(here.downloads.hold(digest, [to]) for _ in range(20))))
        assert (here.added, len(wire.recordings)) == (1, 1)


@on_uvloop
async def test_who_joins_a_download_has_its_own_hosts_asked_too(folder: Path) -> None:
    came, go_on = asyncio.Event(), asyncio.Event()

    async def misses(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        came.set()
        await go_on.wait()
        writer.write(answer(b"", "404 Not Found"))
        writer.close()

    async with peer(folder) as host, receiver(folder) as here, relay(host.port) as wire:
        digest = stored(host, folder, FILES)
        server = await asyncio.start_server(misses, "127.0.0.1", 0, ssl=KeyRing([KEY]).server_context())
        without = member("without", server.sockets[0].getsockname()[1])
        has_it = member(host.name, wire.port)
        first = asyncio.create_task(here.downloads.hold(digest, [without]))
        async with asyncio.timeout(60):
            await came.wait()
        joining = [asyncio.create_task(here.downloads.hold(digest, each)) for each in ([has_it], [without, has_it])]
        await asyncio.sleep(0)  # they wait for the download by now
        go_on.set()
        assert await asyncio.gather(first, *joining) == [None, None, None]
        assert (here.added, len(wire.recordings)) == (1, 1)
        server.close()


@on_uvloop
async def test_a_disk_of_ones_own_that_fails_is_no_fault_of_the_others(folder: Path) -> None:
    async with peer(folder) as host, receiver(folder) as here:
        digest = stored(host, folder, FILES)
        here.folder.rmdir()
        with pytest.raises(OSError, match="No such file"):
            await here.downloads.hold(digest, [host.member])
        here.folder.mkdir()
        assert await here.downloads.hold(digest, [host.member]) is None
