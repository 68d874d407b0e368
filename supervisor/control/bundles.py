"""Uploads of bundles: streamed to a file first, and then the store's to judge."""

from __future__ import annotations

import asyncio
import errno
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from aiohttp import web
from pydantic import Field

from supervisor.control import answers
from supervisor.control.api import Api, Call
from supervisor.control.bodies import chunks
from supervisor.control.errors import DiskFull
from supervisor.errors import BundleRefused, Refused, Unknown
from supervisor.spec.events import View

PREFIX = "upload-"
LEFT_S = 600.0  # an upload whose file nobody wrote to for so long has ended: bodies may pause for body_timeout
BATCH = 1024 * 1024  # bytes written at once: a thread's hop costs less than the write


class BundleView(View):
    """A bundle that the host has."""

    digest: str = Field(description="SHA-256 of its tar before compression, hex")


async def has_bundle(call: Call) -> web.StreamResponse:
    """Whether it is there."""
    if not call.host.has_bundle(call.values["digest"]):
        raise Unknown("there is no such bundle", "upload it")
    return answers.nothing(200)


async def put_bundle(call: Call) -> web.StreamResponse:
    """Stores an archive."""
    wanted = call.values["digest"]
    known = call.host.has_bundle(wanted)
    with _room(call.api):
        stored = await _receive(call)
    if stored != wanted:
        raise BundleRefused(f"the archive's digest is {stored}, not {wanted}", "was it changed on its way? Pack again")
    return answers.one(BundleView(digest=stored), status=200 if known else 201)


def make_folder(folder: Path) -> None:
    """Makes the folder of uploads, and removes what a crash left in it; not what the process before this one takes."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for path in folder.glob(f"{PREFIX}*"):
        with suppress(FileNotFoundError):
            if path.stat().st_mtime < time.time() - LEFT_S:
                path.unlink()


async def _receive(call: Call) -> str:
    descriptor, name = tempfile.mkstemp(prefix=PREFIX, dir=call.api.options.uploads)
    path = Path(name)
    try:
        with os.fdopen(descriptor, "wb", buffering=0) as file:
            await _write_body(call, file)
        return await call.host.add_bundle(path)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise DiskFull("there is no room for the bundle", "make room under the host's stateDir") from error
        raise
    finally:
        _remove(path)


def _remove(path: Path) -> None:
    path.unlink(missing_ok=True)  # gone already if the store took it


async def _write_body(call: Call, file: BinaryIO) -> None:
    options = call.api.options
    batch = bytearray()
    async for chunk in chunks(
        call.request, limit=options.bundle_size, timeout_s=options.body_timeout, setting="bundleSize"
    ):
        batch += chunk
        if len(batch) >= BATCH:
            await asyncio.to_thread(_write_all, file, bytes(batch))
            batch.clear()
    await asyncio.to_thread(_write_all, file, bytes(batch))


def _write_all(file: BinaryIO, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[file.write(view) :]


@contextmanager
def _room(api: Api) -> Iterator[None]:
    """One of the places for uploads; Refused when they are taken."""
    if api.uploading >= api.options.uploads_at_once:
        raise Refused(f"{api.uploading} bundles are on their way already", "upload again in a moment")
    api.uploading += 1
    try:
        yield
    finally:
        api.uploading -= 1
