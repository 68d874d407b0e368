"""Requests about a task that another host of the cluster has: passed on as they are, answered as they come."""

from __future__ import annotations

import asyncio

from aiohttp import web

from supervisor.control import answers
from supervisor.control.api import Access, Call


async def forwarded(call: Call) -> web.StreamResponse | None:
    """The answer of the host that has the task of the path; None: it is here, or nowhere.

    What a peer asks is answered here: it asks whom it takes for the task's host. Refused: that host does not answer.
    """
    elsewhere = None if call.access is Access.PEER else await call.host.elsewhere(call.values["label"])
    if elsewhere is None:
        return None
    if call.values.get("follow"):
        call.api.streams.admit()
    async with elsewhere.follow(call.request.path_qs) as (head, chunks):
        response = web.StreamResponse(status=head.status, headers={"Content-Type": head.media} | answers.FRESH)
        await response.prepare(call.request)
        async for chunk in chunks:
            async with asyncio.timeout(call.api.options.send_timeout):
                await response.write(chunk)
        await response.write_eof()
        return response
