"""The host over the API: blocks, status, drain, upgrade, figures; and its errors as problems."""

from __future__ import annotations

import pytest

from supervisor.control.options import ControlOptions
from supervisor.control.server import ControlServer
from supervisor.errors import (
    BootError,
    BundleRefused,
    ControlError,
    EngineError,
    HandoverFailed,
    IsolatedError,
    ListenError,
    Place,
    Problem,
    Refused,
    SettingsError,
    Unknown,
)
from tests.control.asking import Reply, ask, connection, head_of, on_uvloop
from tests.fakes.control import SOURCES, FakeHost


@on_uvloop
async def test_blocks_are_listed_and_lifted(host: FakeHost, options: ControlOptions) -> None:
    async with ControlServer(host, options):
        (block,) = (await ask(options.socket, "GET", "/v1/blocks")).json
        assert (block["sources"], block["task"]) == (SOURCES, "loop")
        assert (await ask(options.socket, "DELETE", "/v1/blocks/other")).kind == "unknown"
        assert (await ask(options.socket, "DELETE", f"/v1/blocks/{SOURCES[:8]}")).json == [block]
        assert (await ask(options.socket, "GET", "/v1/blocks")).json == []


@on_uvloop
async def test_status_drain_and_figures(host: FakeHost, options: ControlOptions) -> None:
    async with ControlServer(host, options):
        status = (await ask(options.socket, "GET", "/v1/status")).json
        assert status["loopLagS"] == 0.001
        assert status["enforces"] == [
            {"limit": "limits.cpu.quota", "how": "cgroup v2", "problem": "", "remedy": ""},
            {"limit": "limits.net.egress", "how": None, "problem": "no CAP_NET_ADMIN", "remedy": "start it as root"},
        ]
        assert (await ask(options.socket, "GET", "/healthz")).json == {"state": "ready"}
        figures = await ask(options.socket, "GET", "/metrics")
        assert figures.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
        assert figures.body == b"isolated_tasks 0\n"
        assert (await ask(options.socket, "POST", "/v1/drain")).status == 202
        assert host.draining
        host.state = "draining"
        health = await ask(options.socket, "GET", "/healthz")
        assert (health.status, health.kind, health.headers["retry-after"]) == (503, "not-ready", "1")


@on_uvloop
async def test_upgrade(host: FakeHost, options: ControlOptions) -> None:
    async with ControlServer(host, options):
        for body in (None, {}, {"binary": None}):
            assert (await ask(options.socket, "POST", "/v1/upgrade", body)).json["pid"] == 2
        failed = await ask(options.socket, "POST", "/v1/upgrade", {"binary": "/usr/bin/isolated"})
        assert (failed.status, failed.kind) == (502, "handover-failed")
        asked = len(host.asked("upgrade"))
        for wrong in ("isolated", "../x", "/a\0b", "", 7, "/" + "a" * 5000, ["/a"]):
            reply = await ask(options.socket, "POST", "/v1/upgrade", {"binary": wrong})
            assert (reply.status, reply.kind) == (400, "wrong-request"), wrong
            assert reply.json["problems"][0]["field"] == "binary"
        assert (await ask(options.socket, "POST", "/v1/upgrade", b'{"binary": "/\\ud800"}')).status == 400
        assert (await ask(options.socket, "POST", "/v1/upgrade", {"binry": "/a"})).kind == "wrong-request"
        assert len(host.asked("upgrade")) == asked


ERRORS: list[tuple[BaseException, int, str]] = [
    (Unknown("no"), 404, "unknown"),
    (Refused("full", retry_s=2.5), 503, "refused"),
    (BundleRefused("link"), 422, "bundle-refused"),
    (HandoverFailed("died"), 502, "handover-failed"),
    (ControlError("no"), 500, "failed"),
    (SettingsError([Problem("bad\x1b", "mend", field="a", place=Place(3, 4, "x"))]), 422, "settings"),
    (BootError("threw\n\x1b[0m", file="app.js", place=Place(7, 2, "boom()"), stack="at boom\nat \x07"), 422, "boot"),
    (ListenError("127.0.0.1:80", "in use"), 409, "listen"),
    (EngineError("no memory"), 503, "engine"),
    (IsolatedError("disk", "make room"), 503, "failed"),
    (RuntimeError("secret"), 500, "defect"),
    (TimeoutError("secret"), 500, "defect"),
    (KeyError("secret"), 500, "defect"),
]


@pytest.mark.parametrize(("error", "status", "kind"), ERRORS, ids=lambda value: type(value).__name__)
def test_every_error_is_a_problem(
    host: FakeHost, options: ControlOptions, error: BaseException, status: int, kind: str
) -> None:
    @on_uvloop
    async def run() -> None:
        async with ControlServer(host, options):
            host.fail = error
            reply = await ask(options.socket, "POST", "/v1/tasks/shop/start")
            assert (reply.status, reply.kind) == (status, kind)
            assert ("retry-after" in reply.headers) == (status == 503)
            assert b"secret" not in reply.body
            assert b"\\u001b" not in reply.body
            assert b"\\u0007" not in reply.body
            if isinstance(error, Refused):
                assert reply.headers["retry-after"] == "3"
            if isinstance(error, BootError):
                assert [reply.json[name] for name in ("file", "line", "column")] == ["app.js", 7, 2]
                assert reply.json["stack"] == "at boom\nat \\x07"
            if isinstance(error, SettingsError):
                assert [reply.json["problems"][0][name] for name in ("field", "line", "column")] == ["a", 3, 4]
            assert (await ask(options.socket, "GET", "/v1/tasks")).status == 200

    run()


@on_uvloop
async def test_paths_and_methods_that_there_are_none(host: FakeHost, options: ControlOptions) -> None:
    async with ControlServer(host, options):
        for target in (
            "/",
            "/v1",
            "/v2/tasks",
            "/v1/tasks/",
            "//v1/tasks",
            "/v1/tasks/a/b",
            "/v1/tasks/shop/logs/../x",
        ):
            reply = await ask(options.socket, "GET", target)
            assert (reply.status, reply.kind) == (404, "no-such-path"), target
        reply = await ask(options.socket, "DELETE", "/v1/tasks")
        assert (reply.status, reply.kind, reply.headers["allow"]) == (405, "method", "GET")
        assert not host.calls


@pytest.mark.parametrize(
    "data",
    [b"nonsense\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"GET / HTTP/1.1\r\nHost: a\r\nA\0: b\r\n\r\n",
     b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"a" * 10_000 + b"\r\n\r\n",
     b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
     b"POST /v1/drain HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n"],
)  # fmt: skip
def test_what_is_no_http_is_a_problem_too_and_is_not_quoted(
    host: FakeHost, options: ControlOptions, data: bytes
) -> None:
    @on_uvloop
    async def run() -> None:
        async with ControlServer(host, options):
            async with connection(options.socket) as (reader, writer):
                writer.write(data)
                reply = Reply(*await head_of(reader), await reader.read())  # to the end of the connection
            assert (reply.status, reply.kind) == (400, "wrong-request")
            assert b"nonsense" not in reply.body
            assert not host.calls

    run()
