"""Events and logs as they come, and how such answers end."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from supervisor.control.options import ControlOptions
from supervisor.control.server import ControlServer
from tests.control.asking import TASK, ask, connection, head_of, on_uvloop
from tests.fakes.control import FakeHost


class Stream:
    """A chunked answer that goes on."""

    def __init__(self, status: int, headers: dict[str, str], reader: asyncio.StreamReader) -> None:
        self.status = status
        self.headers = headers
        self.reader = reader

    async def chunk(self) -> bytes | None:
        """The next piece; None at a good end."""
        size = int(await self.reader.readuntil(b"\r\n"), 16)
        data = await self.reader.readexactly(size)
        assert await self.reader.readexactly(2) == b"\r\n"
        return data or None

    async def text(self, until: str) -> str:
        """What comes, up to `until`."""
        text = ""
        while until not in text:
            chunk = await self.chunk()
            assert chunk is not None
            text += chunk.decode()
        return text


@asynccontextmanager
async def stream(socket: Path, target: str, fields: str = "") -> AsyncIterator[Stream]:
    async with connection(socket) as (reader, writer):
        writer.write(f"GET {target} HTTP/1.1\r\nHost: a\r\n{fields}\r\n".encode())
        status, headers = await head_of(reader)
        yield Stream(status, headers, reader)


@on_uvloop
async def test_events_have_numbers_kinds_and_one_line_of_data(host: FakeHost, options: ControlOptions) -> None:
    async with ControlServer(host, options), stream(options.socket, "/v1/events") as events:
        assert (events.status, events.headers["content-type"]) == (200, "text/event-stream")
        await events.text("retry:")
        host.happen("line\nline")
        fields = (await events.text("\n\n")).strip().split("\n")
        assert fields[:2] == ["id: 1", "event: host"]
        assert len(fields) == 3
        assert json.loads(fields[2].removeprefix("data: "))["message"] == "line\nline"


@pytest.mark.parametrize(
    ("query", "fields", "after"),
    [
        ("", "", None),
        ("?after=1", "", 1),
        ("", "Last-Event-ID: 2\r\n", 2),
        ("?after=1", "Last-Event-ID: 2\r\n", 2),  # a browser that reconnects keeps the address
    ],
)
def test_events_begin_where_the_reader_was(
    host: FakeHost, options: ControlOptions, query: str, fields: str, after: int | None
) -> None:
    @on_uvloop
    async def run() -> None:
        for message in "abc":
            host.happen(message)
        async with ControlServer(host, options), stream(options.socket, f"/v1/events{query}", fields) as events:
            await events.text("retry:")
            host.happen("d")
            first = json.loads((await events.text("\n\n")).split("data: ")[1].split("\n")[0])
            assert first["number"] == (4 if after is None else after + 1)
            assert host.asked("events") == [(after,)]

    run()


@on_uvloop
async def test_a_quiet_event_stream_gives_signs_of_life(host: FakeHost, options: ControlOptions) -> None:
    server = ControlServer(host, replace(options, comment=0.02))
    async with server, stream(options.socket, "/v1/events") as events:
        assert (await events.text(":\n\n:\n\n")).endswith(":\n\n:\n\n")


@pytest.mark.parametrize("number", ["-1", "x", "1.5", str(2**53 + 1), "9" * 5000, "\u0661"])
def test_what_is_no_number_of_an_event_is_refused(host: FakeHost, options: ControlOptions, number: str) -> None:
    @on_uvloop
    async def run() -> None:
        async with ControlServer(host, options):
            reply = await ask(options.socket, "GET", "/v1/events", headers={"Last-Event-ID": number})
            assert (reply.status, reply.kind) == (400, "wrong-request")

    run()


@on_uvloop
async def test_the_last_lines_of_a_log(host: FakeHost, options: ControlOptions) -> None:
    async with ControlServer(host, options):
        await ask(options.socket, "PUT", "/v1/tasks/shop", TASK)
        for number in range(200):
            host.say("shop", str(number))
        chunk = (await ask(options.socket, "GET", "/v1/tasks/shop/logs")).json
        assert ([line["text"] for line in chunk["lines"]], chunk["dropped"]) == ([str(n) for n in range(100, 200)], 100)
        assert (await ask(options.socket, "GET", "/v1/tasks/shop/logs?tail=0")).json["lines"] == []
        for tail in ("-1", "100001", "x"):
            assert (await ask(options.socket, "GET", f"/v1/tasks/shop/logs?tail={tail}")).kind == "wrong-request"


@on_uvloop
async def test_a_followed_log_misses_no_line_tells_none_twice_and_ends_with_its_task(
    host: FakeHost, options: ControlOptions
) -> None:
    async with ControlServer(host, options):
        await ask(options.socket, "PUT", "/v1/tasks/shop", TASK)
        host.say("shop", "a")
        host.say("shop", "b\n{}\u2028")
        async with stream(options.socket, "/v1/tasks/shop/logs?follow=true&tail=1") as log:
            assert log.headers["content-type"] == "application/x-ndjson"
            host.say("shop", "c")
            lines = (await log.text('"c"')).strip().split("\n")
            assert [json.loads(line)["text"] for line in lines] == ["b\n{}\u2028", "c"]
            await ask(options.socket, "DELETE", "/v1/tasks/shop")
            assert await log.chunk() is None
        assert (await ask(options.socket, "GET", "/v1/tasks/shop/logs?follow=true")).kind == "unknown"


@on_uvloop
async def test_a_client_that_leaves_is_forgotten_at_once(host: FakeHost, options: ControlOptions) -> None:
    async with ControlServer(host, options) as server:
        for _ in range(20):
            async with stream(options.socket, "/v1/events") as events:
                await events.text("retry:")
        while host.told.followers:
            await asyncio.sleep(0.001)
        assert server._api.streams.open == 0


@on_uvloop
async def test_streams_are_bounded_and_a_place_comes_back(host: FakeHost, options: ControlOptions) -> None:
    async with ControlServer(host, replace(options, streams=1)):
        async with stream(options.socket, "/v1/events") as events:
            await events.text("retry:")
            reply = await ask(options.socket, "GET", "/v1/events")
            assert (reply.status, reply.kind) == (503, "refused")
            assert int(reply.headers["retry-after"]) >= 1
        while (await _status(options.socket)) != 200:
            await asyncio.sleep(0.001)


async def _status(socket: Path) -> int:
    async with stream(socket, "/v1/events") as events:
        return events.status


@on_uvloop
async def test_the_end_of_the_server_ends_streams_properly(host: FakeHost, options: ControlOptions) -> None:
    async with ControlServer(host, options) as server, stream(options.socket, "/v1/events") as events:
        await events.text("retry:")
        server.release()
        assert await events.chunk() is None


@on_uvloop
async def test_a_source_that_fails_cuts_the_answer_off(
    host: FakeHost, options: ControlOptions, caplog: pytest.LogCaptureFixture
) -> None:
    async with ControlServer(host, options), stream(options.socket, "/v1/events") as events:
        await events.text("retry:")
        host.told.tell("no event")  # type: ignore[arg-type]
        with pytest.raises((asyncio.IncompleteReadError, ConnectionError)):
            await events.chunk()
        assert "a stream of the control API failed" in caplog.text


@on_uvloop
async def test_a_client_that_reads_nothing_is_cut_off(host: FakeHost, options: ControlOptions) -> None:
    server = ControlServer(host, replace(options, send_timeout=0.05))
    async with server, stream(options.socket, "/v1/events") as events:
        events.reader._transport.pause_reading()  # type: ignore[attr-defined]
        while host.told.followers:
            host.happen("x" * 100_000)
            await asyncio.sleep(0.001)
