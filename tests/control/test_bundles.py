"""Uploads of bundles."""

from __future__ import annotations

import asyncio
import errno
import hashlib
import os
import time
from dataclasses import replace
from pathlib import Path

import pytest

from supervisor.control.options import ControlOptions
from supervisor.control.server import ControlServer
from tests.control.asking import ask, connection, on_uvloop, raw
from tests.fakes.control import FakeHost

DATA = os.urandom(3_000_000)  # several batches
DIGEST = hashlib.sha256(DATA).hexdigest()


@on_uvloop
async def test_a_bundle_is_stored_and_found(host: FakeHost, options: ControlOptions) -> None:
    async with ControlServer(host, options):
        target = f"/v1/bundles/{DIGEST}"
        assert (await ask(options.socket, "HEAD", target)).status == 404
        stored = await ask(options.socket, "PUT", target, DATA, headers={"Content-Type": "application/octet-stream"})
        assert (stored.status, stored.json) == (201, {"digest": DIGEST})
        assert (await ask(options.socket, "HEAD", target)).status == 200
        assert (await ask(options.socket, "PUT", target, DATA)).status == 200
        assert not list(options.uploads.iterdir())
        assert {call[0].parent for call in host.asked("add_bundle")} == {options.uploads}


@on_uvloop
async def test_what_is_not_the_bundle_of_its_name_is_refused(host: FakeHost, options: ControlOptions) -> None:
    async with ControlServer(host, options):
        for data in (b"other", b""):
            reply = await ask(options.socket, "PUT", f"/v1/bundles/{DIGEST}", data)
            assert (reply.status, reply.kind) == (422, "bundle-refused")
        assert not list(options.uploads.iterdir())


@on_uvloop
async def test_a_bundle_that_is_too_large_is_refused_early(host: FakeHost, options: ControlOptions) -> None:
    async with ControlServer(host, replace(options, bundle_size=1000)):
        head = f"PUT /v1/bundles/{DIGEST} HTTP/1.1\r\nHost: a\r\n".encode()
        announced = await raw(options.socket, head + b"Content-Length: 1001\r\n\r\n")
        assert (announced.status, announced.kind) == (413, "too-large")
        chunk = b"1f4\r\n" + bytes(500) + b"\r\n"
        told = await raw(options.socket, head + b"Transfer-Encoding: chunked\r\n\r\n" + chunk * 3)
        assert (told.status, told.kind) == (413, "too-large")
        assert not host.asked("add_bundle")
        assert not list(options.uploads.iterdir())


@on_uvloop
async def test_an_upload_that_breaks_off_leaves_nothing(host: FakeHost, options: ControlOptions) -> None:
    async with ControlServer(host, options) as server:
        async with connection(options.socket) as (_, writer):
            head = f"PUT /v1/bundles/{DIGEST} HTTP/1.1\r\nHost: a\r\nContent-Length: {len(DATA)}\r\n\r\n"
            writer.write(head.encode() + DATA[:-1])
            await writer.drain()
            while not list(options.uploads.iterdir()):
                await asyncio.sleep(0.001)
        while list(options.uploads.iterdir()) or server._api.uploading:
            await asyncio.sleep(0.001)
        assert not host.asked("add_bundle")


@on_uvloop
async def test_uploads_are_bounded_in_number(host: FakeHost, options: ControlOptions) -> None:
    async with ControlServer(host, replace(options, uploads_at_once=1)) as server:
        async with connection(options.socket) as (_, writer):
            writer.write(f"PUT /v1/bundles/{DIGEST} HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n".encode())
            while not server._api.uploading:
                await asyncio.sleep(0.001)
            reply = await ask(options.socket, "PUT", f"/v1/bundles/{DIGEST}", DATA[:100])
            assert (reply.status, reply.kind) == (503, "refused")
        while server._api.uploading:
            await asyncio.sleep(0.001)
        assert (await ask(options.socket, "PUT", f"/v1/bundles/{DIGEST}", DATA)).status == 201


@pytest.mark.parametrize(("number", "status", "kind"), [(errno.ENOSPC, 507, "disk-full"), (errno.EIO, 500, "defect")])
def test_a_disk_that_takes_no_more(
    host: FakeHost, options: ControlOptions, number: int, status: int, kind: str
) -> None:
    @on_uvloop
    async def run() -> None:
        async with ControlServer(host, options):
            options.uploads.rmdir()
            missing = await ask(options.socket, "PUT", f"/v1/bundles/{DIGEST}", b"x")
            assert (missing.status, missing.kind) == (500, "defect")
            options.uploads.mkdir()
            host.fail_bundle = OSError(number, os.strerror(number))
            reply = await ask(options.socket, "PUT", f"/v1/bundles/{DIGEST}", b"x")
            assert (reply.status, reply.kind) == (status, kind)
            assert not list(options.uploads.iterdir())

    run()


@on_uvloop
async def test_what_a_crash_left_goes_and_what_is_under_way_stays(host: FakeHost, options: ControlOptions) -> None:
    options.uploads.mkdir()
    left, fresh, other = (options.uploads / name for name in ("upload-old", "upload-new", "mine"))
    for path in (left, fresh, other):
        path.write_bytes(b"")
        _age(path, 10_000 if path != fresh else 0)
    async with ControlServer(host, options):
        assert sorted(path.name for path in options.uploads.iterdir()) == ["mine", "upload-new"]


def _age(path: Path, seconds: float) -> None:
    os.utime(path, (time.time() - seconds,) * 2)
