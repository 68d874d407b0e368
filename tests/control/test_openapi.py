"""The document: every route is in it, every answer is what it says, and any request by it gets no 500."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import jsonschema_rs
import pytest
import schemathesis
from aiohttp import web
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from supervisor.cluster.keys import ClusterKey
from supervisor.cluster.peers.psk import KeyRing
from supervisor.control.api import Access, Api
from supervisor.control.application import application
from supervisor.control.openapi import REF, document
from supervisor.control.options import ControlOptions, PeerOptions
from supervisor.control.peer_routes import PEER_ROUTES
from supervisor.control.routes import ROUTES
from supervisor.control.server import ControlServer
from supervisor.control.streams import Streams
from supervisor.spec.listen import ListenAddress
from tests.control.asking import TASK, Reply, ask, on_uvloop, raw
from tests.fakes.control import SOURCES, FakeHost
from tests.fakes.peer_control import FakePeerControl, a_record

ALL = (*ROUTES, *PEER_ROUTES)
DOCUMENT = document(ALL)
STREAMS = {("GET", "/v1/events")}  # never ends: test_streams.py has it
BUNDLE = "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"  # of b"x"


def test_every_route_of_the_server_is_in_the_document_and_the_other_way_round(options: ControlOptions) -> None:
    served = served_by(Access.PEER, options)
    described = {(method.upper(), path) for path, item in DOCUMENT["paths"].items() for method in item}
    assert served == described
    assert served_by(Access.LOCAL, options) == {(route.method, route.path) for route in ROUTES}
    names = [route.name for route in ALL]
    assert len(set(names)) == len(names)


def served_by(access: Access, options: ControlOptions) -> set[tuple[str, str]]:
    app = application(Api(FakeHost(), options, Streams(1, send_timeout=1)), ALL, access)
    return {(route.method, route.resource.canonical) for route in app.router.routes() if route.resource is not None}


def test_every_parameter_of_a_path_is_declared() -> None:
    for route in ALL:
        declared = {parameter.name for parameter in route.parameters if parameter.where == "path"}
        assert declared == {part[1:-1] for part in route.path.split("/") if part.startswith("{")}, route.name


def test_every_reference_leads_somewhere() -> None:
    found = list(references(DOCUMENT))
    assert f"{REF}Task" in found
    for reference in found:
        here: Any = DOCUMENT
        for part in reference.removeprefix("#/").split("/"):
            here = here[part]


def references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"]
        for item in value.values():
            yield from references(item)
    elif isinstance(value, list):
        for item in value:
            yield from references(item)


REQUESTS: list[tuple[str, str, str, object]] = [
    ("PUT", "/v1/tasks/{label}", "/v1/tasks/shop?dryRun=true", TASK),
    ("PUT", "/v1/tasks/{label}", "/v1/tasks/shop", TASK),
    ("PUT", "/v1/tasks/{label}", "/v1/tasks/shop", {}),
    ("POST", "/v1/apply", "/v1/apply", TASK | {"args": ["x"]}),
    ("POST", "/v1/apply", f"/v1/apply?bundle={'a' * 64}", TASK),
    ("GET", "/v1/tasks", "/v1/tasks", None),
    ("GET", "/v1/tasks", "/v1/tasks?x=1", None),
    ("GET", "/v1/tasks/{label}", "/v1/tasks/shop", None),
    ("GET", "/v1/tasks/{label}", "/v1/tasks/other", None),
    ("POST", "/v1/tasks/{label}/stop", "/v1/tasks/shop/stop", None),
    ("POST", "/v1/tasks/{label}/start", "/v1/tasks/shop/start", None),
    ("GET", "/v1/tasks/{label}/logs", "/v1/tasks/shop/logs", None),
    ("DELETE", "/v1/tasks/{label}", "/v1/tasks/shop", None),
    ("GET", "/v1/tasks", "/v1/tasks?everywhere=true", None),
    ("GET", "/v1/hosts", "/v1/hosts", None),
    ("DELETE", "/v1/hosts/{host}", "/v1/hosts/h1", None),
    ("DELETE", "/v1/hosts/{host}", "/v1/hosts/none", None),
    ("GET", "/v1/blocks", "/v1/blocks", None),
    ("DELETE", "/v1/blocks/{which}", f"/v1/blocks/{SOURCES}", None),
    ("GET", "/v1/status", "/v1/status", None),
    ("POST", "/v1/drain", "/v1/drain", None),
    ("POST", "/v1/upgrade", "/v1/upgrade", None),
    ("POST", "/v1/upgrade", "/v1/upgrade", {"binary": "/b"}),
    ("HEAD", "/v1/bundles/{digest}", f"/v1/bundles/{BUNDLE}", None),
    ("PUT", "/v1/bundles/{digest}", f"/v1/bundles/{BUNDLE}", b"x"),
    ("PUT", "/v1/bundles/{digest}", f"/v1/bundles/{BUNDLE}", b"y"),
    ("GET", "/metrics", "/metrics", None),
    ("GET", "/healthz", "/healthz", None),
    ("GET", "/v1/openapi.json", "/v1/openapi.json", None),
]


RECORD = a_record().model_dump(by_alias=True)
PEER_REQUESTS: list[tuple[str, str, str, object]] = [
    ("PUT", "/v1/peer/admit", "/v1/peer/admit", RECORD),
    ("PUT", "/v1/peer/admit", "/v1/peer/admit", RECORD | {"owner": "NO HOST"}),
    ("PUT", "/v1/peer/boot", "/v1/peer/boot", {"label": "shop", "epoch": 1}),
    ("PUT", "/v1/peer/guard", "/v1/peer/guard", RECORD | {"epoch": 2}),
    ("PUT", "/v1/peer/guard", "/v1/peer/guard", RECORD),
    ("PUT", "/v1/peer/claim", "/v1/peer/claim", {"label": "shop", "epoch": 2, "claimant": "a", "basis": None}),
    ("PUT", "/v1/peer/lease", "/v1/peer/lease", {"owner": "a", "held": {"shop": {"epoch": 1, "revision": 2}}}),
    ("PUT", "/v1/peer/retire", "/v1/peer/retire", {"label": "shop", "epoch": 2}),
    ("PUT", "/v1/peer/grant", "/v1/peer/grant", {"who": "a"}),
    ("PUT", "/v1/peer/revise", "/v1/peer/revise", RECORD),
    ("GET", "/v1/peer/records", "/v1/peer/records", None),
    ("GET", "/v1/peer/records/{label}", "/v1/peer/records/shop", None),
    ("GET", "/v1/peer/records/{label}", "/v1/peer/records/nobody", None),
    ("GET", "/v1/bundles/{digest}", f"/v1/bundles/{'0' * 64}", None),
]


@on_uvloop
async def test_every_answer_to_peers_is_as_described(host: FakeHost, options: ControlOptions) -> None:
    ring = KeyRing([ClusterKey(b"k" * 32)])
    door = PeerOptions(ListenAddress("tcp", "127.0.0.1", 0), ring.server_context())
    async with ControlServer(host, replace(options, peers=door), peer=FakePeerControl()) as server:
        port = int(server.addresses[-1].rpartition(":")[2])
        for method, path, target, body in [*PEER_REQUESTS, *REQUESTS]:
            check(method, path, await ask(port, method, target, body, context=ring.client_context()))
    assert {each[:2] for each in PEER_REQUESTS} == {(route.method, route.path) for route in PEER_ROUTES}


@on_uvloop
async def test_every_answer_is_as_described(host: FakeHost, options: ControlOptions) -> None:
    asked = set()
    async with ControlServer(host, options):
        for method, path, target, body in REQUESTS:
            asked.add((method, path))
            check(method, path, await ask(options.socket, method, target, body))
        served = (await ask(options.socket, "GET", "/v1/openapi.json")).json
    assert served == DOCUMENT
    assert asked | STREAMS == {(route.method, route.path) for route in ROUTES}


def check(method: str, path: str, reply: Reply) -> None:
    """That a reply is one of those which the document has for the operation, by itself and not by its default."""
    answers = DOCUMENT["paths"][path][method.lower()]["responses"]
    answer = answers[str(reply.status)]
    if method == "HEAD" or "content" not in answer:
        assert reply.body == b""
        return
    schema = answer["content"][reply.headers["content-type"].partition(";")[0]]["schema"]
    if schema.get("type") != "string":
        validator = jsonschema_rs.Draft202012Validator(schema | {"components": DOCUMENT["components"]})
        validator.validate(reply.json)


@contextmanager
def plain_server(options: ControlOptions) -> Iterator[str]:
    """All routes of a peer over TCP, on a thread of their own, for clients that know nothing else."""
    started, stop = threading.Event(), asyncio.Event()
    loop = asyncio.new_event_loop()
    address = ""

    async def main() -> None:
        nonlocal address
        host = FakeHost()
        await host.apply(TASK, bundle=None, dry_run=False)
        api = Api(host, options, Streams(10, send_timeout=1), FakePeerControl())
        runner = web.AppRunner(application(api, [r for r in ALL if (r.method, r.path) not in STREAMS], Access.PEER))
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        address = f"http://127.0.0.1:{runner.addresses[0][1]}"
        started.set()
        await stop.wait()
        api.streams.close()
        await runner.cleanup()

    thread = threading.Thread(target=loop.run_until_complete, args=(main(),))
    thread.start()
    assert started.wait(60)
    try:
        yield address
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join()
        loop.close()


CHECKS = [status_code_conformance, content_type_conformance, response_schema_conformance]


def explore(options: ControlOptions, examples: int) -> None:
    """Asks what schemathesis makes of the document, valid and not; every answer must be as described and no 500."""
    options.uploads.mkdir()
    paths = {path: item for path, item in DOCUMENT["paths"].items() if ("GET", path) not in STREAMS}
    schema = schemathesis.openapi.from_dict(DOCUMENT | {"paths": paths})
    asked = 0
    with plain_server(options) as address:
        for operation in [schema[path][method] for path, item in paths.items() for method in item]:
            for mode in modes(operation):
                asked += ask_all(operation.as_strategy(generation_mode=mode), address, examples)
    assert asked > len(paths) * examples // 2  # of some operations there is but one request


def modes(operation: schemathesis.schemas.APIOperation[Any, Any, Any, Any]) -> list[schemathesis.GenerationMode]:
    """What can be generated: nothing can be wrong with a request that takes nothing."""
    wrong = (
        [schemathesis.GenerationMode.NEGATIVE] if operation.path_parameters or operation.query or operation.body else []
    )
    return [schemathesis.GenerationMode.POSITIVE, *wrong]


def ask_all(cases: st.SearchStrategy[schemathesis.Case[Any]], address: str, examples: int) -> int:
    """Asks and checks the answers; returns how many."""
    asked = 0

    @given(case=cases)
    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
        phases=(Phase.generate,),
    )
    def run(case: schemathesis.Case[Any]) -> None:
        nonlocal asked
        case.query.pop("follow", None)  # it would never end
        response = case.call(base_url=address, timeout=60)
        assert response.status_code != 500, response.text
        case.validate_response(response, checks=CHECKS)
        asked += 1

    run()
    return asked


def test_requests_by_the_document_get_no_500(options: ControlOptions) -> None:
    explore(replace(options, bundle_size=1000), 3)


@pytest.mark.slow
def test_many_requests_by_the_document_get_no_500(options: ControlOptions) -> None:
    explore(replace(options, bundle_size=1000), 100)


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(
    method=st.sampled_from(["GET", "PUT", "POST", "DELETE", "HEAD", "PATCH", "OPTIONS", "FOO"]),
    base=st.sampled_from(["", "/v1/tasks/", "/v1/blocks/", "/v1/bundles/", "/v1/", "/v1/tasks?", "/v1/apply?dryRun="]),
    rest=st.binary(max_size=40).filter(lambda data: not set(data) & set(b" \r\n\0#")),
    body=st.one_of(st.binary(max_size=60), st.just(b'{"taskId": "shop", "mainPath": "a.js"}')),
)
def test_any_bytes_as_path_and_body_get_an_answer_that_is_no_500(
    options: ControlOptions, method: str, base: str, rest: bytes, body: bytes
) -> None:
    @on_uvloop
    async def run() -> None:
        host = FakeHost()
        async with ControlServer(host, options):
            head = f"{method} ".encode() + base.encode() + rest + b" HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"
            head += b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body)
            reply = await raw(options.socket, head + body, head_only=method == "HEAD")
            assert reply.status < 500
            for label in [label for call in host.calls for label in call[1:2] if isinstance(label, str)]:
                assert label.isascii()
                assert label.replace(".", "").replace("_", "").replace("-", "").isalnum()

    run()
