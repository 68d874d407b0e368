"""The host itself: events, blocks, status, drain, upgrade, and what is watched."""

from __future__ import annotations

import posixpath

from aiohttp import web
from pydantic import Field

from supervisor.control import answers
from supervisor.control.api import Access, Call
from supervisor.control.bodies import checked
from supervisor.control.errors import Forbidden, NotReady, WrongRequest
from supervisor.errors import Problem
from supervisor.printable import shown
from supervisor.spec.events import Event, View
from supervisor.spec.problems import safe

EVENT_STREAM = "text/event-stream"
RETRY = b"retry: 1000\n\n"  # milliseconds until a client that was cut off connects again
COMMENT = b":\n\n"
PATH_BYTES = 4095  # PATH_MAX of Linux, without the closing NUL
METRICS = "text/plain; version=0.0.4; charset=utf-8"
SERVING = ("ready", "handing-over")


class UpgradeRequest(View):
    """What to hand over to."""

    binary: str | None = Field(
        default=None, description="absolute path of the binary of the new process; null: the same; only locally"
    )


class AcceptedView(View):
    """That the host will do it."""


class HealthView(View):
    """That the host serves."""

    state: str = Field(description="ready or handing-over")


async def follow_events(call: Call) -> web.StreamResponse:
    """Events as they come."""
    after, last = call.values["after"], call.values["Last-Event-ID"]
    call.api.streams.admit()
    events = call.host.events(after if last is None else last)  # a browser that reconnects sends both
    comment_s = call.api.options.comment
    return await call.api.streams.send(
        call.request, EVENT_STREAM, events, _event, first=RETRY, sign=COMMENT, sign_s=comment_s
    )


def _event(event: Event) -> bytes:
    # JSON has no line breaks of its own: one data line is always enough
    return f"id: {event.number}\nevent: {event.kind}\ndata: {event.model_dump_json(by_alias=True)}\n\n".encode()


async def list_blocks(call: Call) -> web.StreamResponse:
    """Scripts that are not started again for now."""
    return answers.many(call.host.blocks())


async def release(call: Call) -> web.StreamResponse:
    """Lifts blocks."""
    return answers.many(await call.api.keep(call.host.release(call.values["which"])))


async def get_status(call: Call) -> web.StreamResponse:
    """The host."""
    return answers.one(await call.host.status())


async def list_hosts(call: Call) -> web.StreamResponse:
    """The hosts of the cluster."""
    return answers.many(await call.host.hosts())


async def forget_host(call: Call) -> web.StreamResponse:
    """Makes all hosts forget one that failed or left."""
    await call.api.keep(call.host.forget_host(call.values["host"]))
    return answers.nothing()


async def drain(call: Call) -> web.StreamResponse:
    """Asks the host to stop."""
    await call.api.keep(call.host.drain())
    return answers.one(AcceptedView(), status=202)


async def upgrade(call: Call) -> web.StreamResponse:
    """Hands over to a fresh process."""
    binary = checked(UpgradeRequest, await call.document()).binary
    if binary is not None:
        _check_binary(binary, call.access)
    return answers.one(await call.api.keep(call.host.upgrade(binary)))


async def get_metrics(call: Call) -> web.StreamResponse:
    """Figures for Prometheus."""
    return web.Response(body=call.host.metrics().encode(), headers={"Content-Type": METRICS} | answers.FRESH)


async def get_health(call: Call) -> web.StreamResponse:
    """Whether the host serves."""
    state = (await call.host.status()).state
    if state not in SERVING:
        raise NotReady(f"the host is {state}")
    return answers.one(HealthView(state=state))


def _check_binary(binary: str, access: Access) -> None:
    """A path that can be one, from somebody who may run programs on the machine anyway."""
    if access is not Access.LOCAL:
        raise Forbidden("a binary can be named on its own machine only", "upgrade over the Unix socket")
    fits = posixpath.isabs(binary) and "\0" not in binary and len(binary.encode("utf-8", "replace")) <= PATH_BYTES
    if not fits or any("\ud800" <= character <= "\udfff" for character in binary):
        problem = Problem(
            "not the path of a binary", "write for example /usr/bin/isolated", allowed="absolute paths",
            field="binary", value=shown(binary),
        )  # fmt: skip
        raise WrongRequest("the body is wrong", problems=[safe(problem)])
