"""What hosts ask of each other. Changes go on when the caller does not wait: it asks again, and finds them done."""

from __future__ import annotations

import asyncio
import os
from typing import BinaryIO

from aiohttp import web

from supervisor.control import answers
from supervisor.control.api import Call
from supervisor.control.bodies import checked, read_object
from supervisor.errors import Refused
from supervisor.spec.events import View
from supervisor.spec.peer_views import (
    BootRequest,
    ClaimRequest,
    GrantRequest,
    LeaseRequest,
    RecordRequest,
    RetireRequest,
)

BUNDLE = "application/octet-stream"
PIECE = 256 * 1024  # bytes read and sent at once


async def admit(call: Call) -> web.StreamResponse:
    """Reserves room for a task."""
    record = await _read(call, RecordRequest)
    return answers.one(await call.api.keep(call.peer.admit(record)))


async def boot(call: Call) -> web.StreamResponse:
    """Boots what was admitted."""
    request = await _read(call, BootRequest)
    return answers.one(await call.api.keep(call.peer.boot(request)))


async def guard(call: Call) -> web.StreamResponse:
    """Keeps a record."""
    record = await _read(call, RecordRequest)
    return answers.one(await call.api.keep(call.peer.guard(record)))


async def claim(call: Call) -> web.StreamResponse:
    """Promises an epoch, or does not."""
    request = await _read(call, ClaimRequest)
    return answers.one(await call.api.keep(call.peer.claim(request)))


async def lease(call: Call) -> web.StreamResponse:
    """Renews leases."""
    request = await _read(call, LeaseRequest)
    return answers.one(await call.api.keep(call.peer.lease(request)))


async def owned(call: Call) -> web.StreamResponse:
    """Lists what this host owns."""
    return answers.one(await call.peer.owned())


async def retire(call: Call) -> web.StreamResponse:
    """Stops a copy that is older than another."""
    request = await _read(call, RetireRequest)
    await call.api.keep(call.peer.retire(request))
    return answers.nothing()


async def grant(call: Call) -> web.StreamResponse:
    """Lets a host go home, or does not."""
    request = await _read(call, GrantRequest)
    return answers.one(await call.api.keep(call.peer.grant(request)))


async def find(call: Call) -> web.StreamResponse:
    """The newest record of a task."""
    return answers.one(await call.peer.find(call.values["label"]))


async def revise(call: Call) -> web.StreamResponse:
    """Changes a task that this host owns."""
    record = await _read(call, RecordRequest)
    return answers.one(await call.api.keep(call.peer.revise(record)))


async def get_bundle(call: Call) -> web.StreamResponse:
    """Sends the archive of a bundle."""
    api = call.api
    if api.downloading >= api.options.downloads_at_once:
        raise Refused(f"{api.downloading} bundles are sent already", "ask again in a moment, or ask another host")
    api.downloading += 1
    try:
        with await call.peer.open_bundle(call.values["digest"]) as archive:
            return await _send(call, archive)
    finally:
        api.downloading -= 1


async def _send(call: Call, archive: BinaryIO) -> web.StreamResponse:
    """A receiver that takes nothing for the send timeout is cut off."""
    response = web.StreamResponse(headers={"Content-Type": BUNDLE} | answers.FRESH)
    response.content_length = archive.seek(0, os.SEEK_END)
    archive.seek(0)
    try:
        await response.prepare(call.request)
        while piece := await asyncio.to_thread(archive.read, PIECE):
            async with asyncio.timeout(call.api.options.send_timeout):
                await response.write(piece)
        await response.write_eof()
    except TimeoutError, OSError:
        if call.request.transport is not None:
            call.request.transport.abort()  # the length tells the receiver that something is missing
    return response


async def _read[V: View](call: Call, model: type[V]) -> V:
    """The body as a value of `model`; a record may hold settings of the largest task file, written at length."""
    options = call.api.options
    limit = options.peer_body_size
    return checked(model, await read_object(call.request, limit=limit, timeout_s=options.body_timeout))
