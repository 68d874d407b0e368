"""Tasks over the API: apply, look, stop, start, remove; and the names and bodies that it refuses."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace

import pytest

from supervisor.control.options import ControlOptions
from supervisor.control.server import ControlServer
from tests.control.asking import TASK, ask, connection, on_uvloop, raw
from tests.fakes.control import FakeHost


@on_uvloop
async def test_a_task_from_apply_to_remove(host: FakeHost, options: ControlOptions) -> None:
    async with ControlServer(host, options):
        plan = await ask(options.socket, "PUT", "/v1/tasks/shop?dryRun=true", TASK)
        assert (plan.status, plan.json["change"], plan.json["dryRun"]) == (200, "created", True)
        assert (await ask(options.socket, "GET", "/v1/tasks")).json == []
        assert (await ask(options.socket, "PUT", "/v1/tasks/shop", TASK)).status == 201
        again = await ask(options.socket, "POST", "/v1/apply", TASK)
        assert (again.status, again.json["change"]) == (200, "unchanged")
        (listed,) = (await ask(options.socket, "GET", "/v1/tasks")).json
        assert (listed["task"], listed["spec"]) == ("shop", None)
        assert (await ask(options.socket, "GET", "/v1/tasks/shop")).json["spec"]["mainPath"] == "app.js"
        stopped = await ask(options.socket, "POST", "/v1/tasks/shop/stop")
        assert (stopped.json["state"], stopped.json["wanted"]) == ("stopped", False)
        assert (await ask(options.socket, "POST", "/v1/tasks/shop/start")).json["state"] == "running"
        gone = await ask(options.socket, "DELETE", "/v1/tasks/shop")
        assert (gone.status, gone.body) == (204, b"")
        for method, path in (("GET", ""), ("DELETE", ""), ("POST", "/stop"), ("POST", "/start"), ("GET", "/logs")):
            reply = await ask(options.socket, method, f"/v1/tasks/shop{path}")
            assert (reply.status, reply.kind) == (404, "unknown")


@on_uvloop
async def test_a_number_as_task_id_is_named_by_its_text(host: FakeHost, options: ControlOptions) -> None:
    async with ControlServer(host, options):
        assert (await ask(options.socket, "PUT", "/v1/tasks/7", TASK | {"taskId": 7})).status == 201


@pytest.mark.parametrize("task_id", ["other", True, None, 7, ["shop"], {"shop": 1}, 1.0])
def test_settings_of_another_task_than_the_path_names_are_refused(
    host: FakeHost, options: ControlOptions, task_id: object
) -> None:
    @on_uvloop
    async def run() -> None:
        async with ControlServer(host, options):
            reply = await ask(options.socket, "PUT", "/v1/tasks/shop", TASK | {"taskId": task_id})
            assert (reply.status, reply.kind) == (422, "settings")
            (problem,) = reply.json["problems"]
            assert (problem["field"], problem["allowed"]) == ("taskId", '"shop"')
            assert problem["remedy"]
            assert not host.asked("apply")

    run()


@on_uvloop
async def test_all_problems_of_settings_are_told_with_field_value_allowed_and_remedy(
    host: FakeHost, options: ControlOptions
) -> None:
    async with ControlServer(host, options):
        wrong = TASK | {"listen": ["here"], "limits": {"mem": {"heap": "64MB\u0007"}}, "lisen": 1}
        reply = await ask(options.socket, "POST", "/v1/apply", wrong)
        assert (reply.status, reply.kind) == (422, "settings")
        by_field = {problem["field"]: problem for problem in reply.json["problems"]}
        assert set(by_field) == {"listen[0]", "limits.mem.heap", "lisen"}
        assert all(each["value"] and each["allowed"] and each["remedy"] for each in by_field.values())
        assert "listen" in by_field["lisen"]["remedy"]
        assert "\u0007" not in by_field["limits.mem.heap"]["value"]


@pytest.mark.parametrize(
    "name",
    ["..", ".", "%2e%2e", "%2Fetc", "..%2f..%2fetc%2fpasswd", "a%00b", "%ff", "%0d%0aSet-Cookie:x", "-a", "a" * 129,
     "%F0%9F%92%A9", "a%20b", "a;b", "a%5Cb"],
)  # fmt: skip
def test_names_that_no_task_can_have_never_reach_the_host(host: FakeHost, options: ControlOptions, name: str) -> None:
    @on_uvloop
    async def run() -> None:
        async with ControlServer(host, options):
            for method, path in (
                ("GET", f"/v1/tasks/{name}"), ("DELETE", f"/v1/tasks/{name}"), ("PUT", f"/v1/tasks/{name}"),
                ("POST", f"/v1/tasks/{name}/stop"), ("GET", f"/v1/tasks/{name}/logs"), ("DELETE", f"/v1/blocks/{name}"),
                ("PUT", f"/v1/bundles/{name}"), ("HEAD", f"/v1/bundles/{name}"),
            ):  # fmt: skip
                reply = await ask(options.socket, method, path, TASK if method == "PUT" else None)
                assert reply.status == 400, (method, path)
                if method != "HEAD":
                    assert reply.kind == "wrong-request"
                    assert reply.json["problems"][0]["allowed"]
            assert not host.calls

    run()


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("dryrun=true", "dryrun"),  # or a slip would apply for real
        ("dryRun=yes", "dryRun"),
        ("dryRun=", "dryRun"),
        ("dryRun=true&dryRun=false", "dryRun"),
        ("bundle=abc", "bundle"),
        ("bundle=../../x", "bundle"),
        ("bundle=" + "A" * 64, "bundle"),
        ("%00=1", "\\x00"),
    ],
)
def test_a_query_that_is_not_understood_does_nothing(
    host: FakeHost, options: ControlOptions, query: str, field: str
) -> None:
    @on_uvloop
    async def run() -> None:
        async with ControlServer(host, options):
            reply = await ask(options.socket, "PUT", f"/v1/tasks/shop?{query}", TASK)
            assert (reply.status, reply.kind) == (400, "wrong-request")
            assert reply.json["problems"][0]["field"] == field
            assert not host.calls

    run()


@on_uvloop
async def test_a_bundle_that_is_not_there_is_unknown(host: FakeHost, options: ControlOptions) -> None:
    async with ControlServer(host, options):
        reply = await ask(options.socket, "POST", f"/v1/apply?bundle={'a' * 64}", TASK)
        assert (reply.status, reply.kind) == (404, "unknown")
        host.bundles.add("a" * 64)
        assert (await ask(options.socket, "POST", f"/v1/apply?bundle={'a' * 64}", TASK)).status == 201
        assert host.asked("apply")[-1][1] == "a" * 64


@pytest.mark.parametrize(
    ("body", "status", "kind"),
    [
        (b"{", 400, "wrong-request"),
        (b"[]", 400, "wrong-request"),
        (b"7", 400, "wrong-request"),
        (b"null", 400, "wrong-request"),
        (b"\xff{}", 400, "wrong-request"),
        (b"{}" + b" " * 2**20, 413, "too-large"),
        (b"[" * 100_000, 400, "wrong-request"),
        (b'{"a":' * 40 + b"1" + b"}" * 40, 400, "wrong-request"),
        (b'{"taskId": ' + b"9" * 10_000 + b"}", 422, "settings"),
        (b'{"taskId": "shop", "taskId": "shop", "mainPath": "a.js"}', 422, "settings"),
        (b'{"taskId": NaN, "mainPath": "a.js"}', 422, "settings"),
        (b'{"taskId": "shop", "mainPath": "\\ud800"}', 422, "settings"),
        (b'{"taskId": "shop", "mainPath": "a.js", "\\ud800": 1}', 422, "settings"),
        (b"", 422, "settings"),
    ],
)
def test_bodies_that_are_no_settings(
    host: FakeHost, options: ControlOptions, body: bytes, status: int, kind: str
) -> None:
    @on_uvloop
    async def run() -> None:
        async with ControlServer(host, options):
            for target in ("/v1/apply", "/v1/tasks/shop"):
                reply = await ask(options.socket, "POST" if target == "/v1/apply" else "PUT", target, body)
                assert (reply.status, reply.kind) == (status, kind)
            assert not host.specs

    run()


@on_uvloop
async def test_a_body_of_another_type_or_encoding_is_refused(host: FakeHost, options: ControlOptions) -> None:
    async with ControlServer(host, options):
        for headers in ({"Content-Type": "text/plain"}, {"Content-Encoding": "gzip"}, {"Content-Encoding": "zstd"}):
            reply = await ask(options.socket, "POST", "/v1/apply", TASK, headers=headers)
            assert (reply.status, reply.kind) == (415, "media-type")


@on_uvloop
async def test_a_body_in_chunks_is_taken_and_a_broken_one_refused(host: FakeHost, options: ControlOptions) -> None:
    head = b"POST /v1/apply HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
    body = json.dumps(TASK).encode()
    async with ControlServer(host, options):
        reply = await raw(options.socket, head + b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body))
        assert reply.status == 201
        reply = await raw(options.socket, head + b"zz\r\nnot a chunk\r\n0\r\n\r\n")
        assert (reply.status, reply.kind) == (400, "wrong-request")
        endless = head + (b"10000\r\n" + b" " * 0x10000 + b"\r\n") * 20
        assert (await raw(options.socket, endless)).kind == "too-large"


@on_uvloop
async def test_a_body_that_does_not_go_on_is_given_up(host: FakeHost, options: ControlOptions) -> None:
    async with ControlServer(host, replace(options, body_timeout=0.05)):
        head = b"POST /v1/apply HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 10\r\n\r\n{"
        reply = await raw(options.socket, head)
        assert (reply.status, reply.kind) == (408, "too-slow")


@on_uvloop
async def test_apply_goes_on_when_its_client_does_not_wait(host: FakeHost, options: ControlOptions) -> None:
    host.gate = asyncio.Event()
    async with ControlServer(host, options):
        async with connection(options.socket) as (_, writer):
            body = json.dumps(TASK).encode()
            head = b"PUT /v1/tasks/shop HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
            writer.write(head + b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
            while not host.asked("apply"):
                await asyncio.sleep(0.001)
        await ask(options.socket, "GET", "/v1/tasks")
        host.gate.set()
        while (await ask(options.socket, "GET", "/v1/tasks/shop")).status != 200:
            await asyncio.sleep(0.001)


@on_uvloop
async def test_the_end_waits_for_what_was_begun(host: FakeHost, options: ControlOptions) -> None:
    host.gate = asyncio.Event()
    async with ControlServer(host, replace(options, grace=30.0)):
        reply = asyncio.create_task(ask(options.socket, "PUT", "/v1/tasks/shop", TASK))
        while not host.asked("apply"):
            await asyncio.sleep(0.001)
        asyncio.get_running_loop().call_later(0.05, host.gate.set)
    assert (await reply).status == 201
    assert "shop" in host.specs
