"""Bundles from other hosts: streamed to a file, checked by the store, each fetched once at a time."""

from __future__ import annotations

import asyncio
import os
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from pathlib import Path
from typing import BinaryIO

from supervisor.cluster.peers.wire import Wire
from supervisor.cluster.ports import Silent
from supervisor.cluster.values import Member
from supervisor.errors import BundleRefused

PREFIX = "upload-"  # as the control API's own: it removes what a crash left
BATCH = 1024 * 1024  # bytes written at once: a thread's hop costs less than the write
BUSY_S = 0.5  # until a busy host is asked again
QUIET_S = 10.0  # a host packs the bundle before it sends the first byte: 256 MiB take 2 s


@dataclass(frozen=True, slots=True)
class DownloadOptions:
    """Where bundles come to, and how large they may be."""

    folder: Path  # on the store's file system; there already
    size: int = 64 * 1024 * 1024  # bytes of an archive
    at_once: int = 4  # the others wait: a link that is shared by more gets none of them done sooner
    within_s: float = 150.0  # of a whole one: below what a boot may take


@dataclass(frozen=True, slots=True)
class Missed:
    """A host did not give a bundle."""

    why: str  # for people
    busy: bool = False  # it sends as many as it may: to ask again helps


@dataclass(frozen=True, slots=True)
class Download:
    """A bundle that is being fetched."""

    sources: dict[str, Member]  # by id, best first; those of everybody who waits for it
    task: asyncio.Task[Missed | None]


class Downloads:
    """Fetches bundles, a few at a time. Loop thread.

    `has` tells whether a bundle is stored. `add` checks and stores an archive, and returns the digest of what is in
    it; it raises BundleRefused.
    """

    def __init__(
        self, wire: Wire, options: DownloadOptions, has: Callable[[str], bool], add: Callable[[Path], Awaitable[str]]
    ) -> None:
        self._wire = wire
        self._options = options
        self._has = has
        self._add = add
        self._gate = asyncio.Semaphore(options.at_once)
        self._under_way: dict[str, Download] = {}  # by digest

    async def hold(self, digest: str, sources: Sequence[Member]) -> Missed | None:
        """Gets a bundle if it is not here, from the first of `sources` that has it; None: it is here now.

        Who asks for one that is being fetched waits for the same download, which asks their `sources`, too. OSError,
        StoreError: this host's disk.
        """
        if self._has(digest):
            return None
        download = self._under_way.get(digest)
        if download is None or download.task.done():  # one that is done asks nobody any more
            found = dict[str, Member]()
            download = Download(found, asyncio.get_running_loop().create_task(self._hold(digest, found)))
            self._under_way[digest] = download
            download.task.add_done_callback(partial(self._done, digest))
        for source in sources:
            download.sources.setdefault(source.id, source)
        return await asyncio.shield(download.task)

    async def fetch(self, to: Member, digest: str) -> Missed | None:
        """Fetches it from one host; None: it is here now."""
        descriptor, name = tempfile.mkstemp(prefix=PREFIX, dir=self._options.folder)
        path = Path(name)
        try:
            with os.fdopen(descriptor, "wb", buffering=0) as file:
                async with asyncio.timeout(self._options.within_s):
                    missed = await self._receive(to, digest, file)
            if missed is not None:
                return missed
            stored = await self._add(path)
        except TimeoutError:
            return Missed(f"{to.id} does not send bundle {digest} within {self._options.within_s:g} s")
        except (Silent, BundleRefused) as error:
            return Missed(str(error))
        finally:
            _remove(path)
        return None if stored == digest else Missed(f"{to.id} sends bundle {stored} for {digest}")

    async def _hold(self, digest: str, sources: Mapping[str, Member]) -> Missed | None:
        """Asks all in turn, those that come to it meanwhile too, and again while one of them is only busy."""
        loop = asyncio.get_running_loop()
        until = loop.time() + self._options.within_s
        async with self._gate:
            while True:
                all_missed = dict[str, Missed]()
                while left := [source for host, source in sources.items() if host not in all_missed]:
                    missed = await self.fetch(left[0], digest)
                    if missed is None:
                        return None
                    all_missed[left[0].id] = missed
                if not any(missed.busy for missed in all_missed.values()) or loop.time() > until:
                    why = "; ".join(missed.why for missed in all_missed.values())
                    return Missed(why or "no host is known that may have it")
                await asyncio.sleep(BUSY_S)

    def _done(self, digest: str, task: asyncio.Task[Missed | None]) -> None:
        if (download := self._under_way.get(digest)) is not None and download.task is task:
            del self._under_way[digest]
        if not task.cancelled():
            task.exception()  # told to who waits, if anybody still does

    async def _receive(self, to: Member, digest: str, file: BinaryIO) -> Missed | None:
        async with self._wire.follow(to, f"/v1/bundles/{digest}", quiet_s=QUIET_S) as (head, chunks):
            if not head.went_well:
                why = f"{to.id} does not send bundle {digest}: status {head.status}"
                return Missed(why, busy=head.status == HTTPStatus.SERVICE_UNAVAILABLE)
            await self._write(to, chunks, file)
            return None

    async def _write(self, to: Member, chunks: AsyncIterator[bytes], file: BinaryIO) -> None:
        batch, taken = bytearray(), 0
        async for chunk in chunks:
            taken += len(chunk)
            if taken > self._options.size:
                raise Silent(
                    f"{to.id} sends a bundle of more than the {self._options.size} bytes of this host's `bundleSize`: "
                    "leave out what the program does not import, or raise it"
                )
            batch += chunk
            if len(batch) >= BATCH:
                await asyncio.to_thread(_write_all, file, bytes(batch))
                batch.clear()
        await asyncio.to_thread(_write_all, file, bytes(batch))


def _remove(path: Path) -> None:
    path.unlink(missing_ok=True)  # gone already if the store took it


def _write_all(file: BinaryIO, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[file.write(view) :]
