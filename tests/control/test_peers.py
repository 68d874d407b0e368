"""The door for the other hosts: by the cluster's key, to all routes, and to those of their own."""

from __future__ import annotations

import asyncio
import os
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from supervisor.cluster.keys import ClusterKey
from supervisor.cluster.peers.psk import KeyRing
from supervisor.control.options import ControlOptions, PeerOptions
from supervisor.control.server import ControlServer
from supervisor.errors import Refused
from supervisor.spec.listen import ListenAddress
from tests.control.asking import TASK, Reply, ask, connection, head_of, on_uvloop
from tests.fakes.control import FakeHost
from tests.fakes.peer_control import FakePeerControl, a_record

ANY = ListenAddress("tcp", "127.0.0.1", 0)
DIGEST = "ab" * 32
RECORD = a_record().model_dump(by_alias=True)
WAIT_S = 0.001


class Door:
    """A server with a peer door, and a peer that asks there."""

    def __init__(self, options: ControlOptions) -> None:
        self.ring = KeyRing([ClusterKey(bytes(range(32)))])
        self.client = self.ring.client_context()
        self.options = replace(options, grace=30.0, peers=PeerOptions(ANY, self.ring.server_context()))
        self.peer = FakePeerControl()
        self.port = 0

    @asynccontextmanager
    async def open(self, host: FakeHost) -> AsyncIterator[ControlServer]:
        async with ControlServer(host, self.options, peer=self.peer) as server:
            self.port = int(server.addresses[-1].rpartition(":")[2])
            yield server

    async def ask(self, method: str, target: str, body: object = None) -> Reply:
        return await ask(self.port, method, target, body, context=self.client)


@pytest.fixture
def door(options: ControlOptions) -> Door:
    return Door(options)


@on_uvloop
async def test_a_peer_may_ask_for_everything_without_a_token(host: FakeHost, door: Door) -> None:
    async with door.open(host):
        assert (await door.ask("PUT", "/v1/tasks/shop", TASK)).status == 201
        assert (await door.ask("GET", "/v1/tasks/shop")).json["task"] == "shop"
        for path in ("/v1/tasks", "/v1/status", "/v1/blocks", "/healthz", "/metrics", "/v1/openapi.json"):
            assert (await door.ask("GET", path)).status == 200
        assert (await door.ask("PUT", "/v1/peer/admit", RECORD)).json["outcome"] == "admitted"
        assert door.peer.asked("admit") == [a_record()]


@on_uvloop
async def test_a_binary_is_not_named_by_a_peer(host: FakeHost, door: Door) -> None:
    async with door.open(host):
        named = await door.ask("POST", "/v1/upgrade", {"binary": "/usr/bin/isolated"})
        assert (named.status, named.kind) == (403, "forbidden")


@on_uvloop
async def test_what_is_for_peers_is_nowhere_else(host: FakeHost, door: Door, options: ControlOptions) -> None:
    async with door.open(host):
        for method, path in (
            ("PUT", "/v1/peer/admit"), ("PUT", "/v1/peer/retire"), ("GET", "/v1/peer/records"),
            ("GET", "/v1/peer/records/shop"),
        ):  # fmt: skip
            assert (await ask(options.socket, method, path)).kind == "no-such-path"
        assert (await ask(options.socket, "GET", f"/v1/bundles/{DIGEST}")).kind == "method"
    assert not door.peer.calls


@on_uvloop
async def test_a_newer_hosts_fields_are_passed_over_and_wrong_ones_are_told(host: FakeHost, door: Door) -> None:
    async with door.open(host):
        newer = RECORD | {"colour": "blue", "needs": RECORD["needs"] | {"gpus": 2}}
        assert (await door.ask("PUT", "/v1/peer/guard", newer)).status == 200
        assert door.peer.asked("guard") == [a_record()]
        for field, value in (
            ("label", "../etc"), ("epoch", -1), ("epoch", 2**60), ("owner", "A B"), ("bundle", "ab"),
            ("mode", "loose"), ("settings", []), ("guardians", ["x"] * 2000), ("needs", {"memory": -1}),
        ):  # fmt: skip
            reply = await door.ask("PUT", "/v1/peer/guard", RECORD | {field: value})
            assert (reply.status, reply.kind) == (400, "wrong-request")
            assert reply.json["problems"][0]["field"].startswith(field)
        assert len(door.peer.calls) == 1


@on_uvloop
async def test_a_record_may_be_larger_than_any_other_body_and_not_without_end(host: FakeHost, door: Door) -> None:
    door.options = replace(door.options, body_size=1000, peer_body_size=5000)
    async with door.open(host):
        wide = RECORD | {"settings": {"env": {"A": "x" * 4000}}}
        assert (await door.ask("PUT", "/v1/peer/guard", wide)).status == 200
        wider = RECORD | {"settings": {"env": {"A": "x" * 5000}}}
        assert (await door.ask("PUT", "/v1/peer/guard", wider)).kind == "too-large"
        assert (await door.ask("PUT", "/v1/tasks/shop", TASK | {"args": ["x" * 4000]})).kind == "too-large"


@on_uvloop
async def test_what_was_asked_is_done_although_the_peer_has_gone(host: FakeHost, door: Door) -> None:
    door.peer.gate = asyncio.Event()
    async with door.open(host):
        asking = asyncio.create_task(door.ask("PUT", "/v1/peer/guard", RECORD))
        while not door.peer.calls:
            await asyncio.sleep(WAIT_S)
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)
        door.peer.gate.set()
        while "shop" not in door.peer.records:
            await asyncio.sleep(WAIT_S)


@on_uvloop
async def test_a_host_that_cannot_now_says_so(host: FakeHost, door: Door) -> None:
    async with door.open(host):
        door.peer.fail = Refused("the host drains")
        assert (await door.ask("PUT", "/v1/peer/admit", RECORD)).kind == "refused"


@on_uvloop
async def test_a_bundle_is_sent_whole(host: FakeHost, door: Door) -> None:
    door.peer.bundles[DIGEST] = os.urandom(3_000_001)
    async with door.open(host):
        reply = await door.ask("GET", f"/v1/bundles/{DIGEST}")
        assert (reply.status, reply.body) == (200, door.peer.bundles[DIGEST])
        assert door.peer.archives[0].closed
        assert (await door.ask("GET", f"/v1/bundles/{'0' * 64}")).kind == "unknown"
        assert (await door.ask("GET", "/v1/bundles/..%2f")).kind == "wrong-request"


@on_uvloop
async def test_as_many_bundles_are_sent_at_once_as_may_be(host: FakeHost, door: Door) -> None:
    door.peer.bundles[DIGEST] = bytes(50_000_000)  # more than all buffers on the way hold
    door.options = replace(door.options, downloads_at_once=1)
    async with door.open(host):
        async with connection(door.port, door.client) as (reader, writer):
            writer.write(f"GET /v1/bundles/{DIGEST} HTTP/1.1\r\nHost: a\r\n\r\n".encode())
            assert (await head_of(reader))[0] == 200
            assert (await door.ask("GET", f"/v1/bundles/{DIGEST}")).kind == "refused"
        while not door.peer.archives[0].closed:
            await asyncio.sleep(WAIT_S)
        door.peer.bundles[DIGEST] = b"x"
        while (await door.ask("GET", f"/v1/bundles/{DIGEST}")).status != 200:
            await asyncio.sleep(WAIT_S)


@on_uvloop
async def test_a_peer_that_takes_nothing_is_cut_off(host: FakeHost, door: Door) -> None:
    door.peer.bundles[DIGEST] = bytes(50_000_000)
    door.options = replace(door.options, send_timeout=0.2)
    async with door.open(host), connection(door.port, door.client) as (reader, writer):
        writer.write(f"GET /v1/bundles/{DIGEST} HTTP/1.1\r\nHost: a\r\n\r\n".encode())
        assert (await head_of(reader))[0] == 200
        while not door.peer.archives[0].closed:
            await asyncio.sleep(WAIT_S)
        received = 0
        try:
            while data := await reader.read(1 << 20):
                received += len(data)
        except OSError:
            pass
        assert received < 50_000_000


@on_uvloop
async def test_the_door_is_handed_over_without_a_refused_connection(host: FakeHost, door: Door) -> None:
    successor, newer = FakeHost(), FakePeerControl()
    old = ControlServer(host, door.options, peer=door.peer)
    await old.__aenter__()
    door.port = int(old.addresses[-1].rpartition(":")[2])
    given = {name: os.dup(descriptor) for name, descriptor in old.handles().items()}
    async with ControlServer(successor, door.options, peer=newer, given=given, paused=True) as new:
        assert new.addresses == old.addresses
        assert (await door.ask("PUT", "/v1/peer/admit", RECORD)).status == 200
        assert (len(door.peer.calls), len(newer.calls)) == (1, 0)
        await new.resume()
        old.release()
        await old.__aexit__(None, None, None)
        assert (await door.ask("PUT", "/v1/peer/admit", RECORD)).status == 200
        assert (len(door.peer.calls), len(newer.calls)) == (1, 1)


@on_uvloop
async def test_connections_by_a_key_of_before_end(host: FakeHost, door: Door, options: ControlOptions) -> None:
    async with (
        door.open(host) as server,
        connection(door.port, door.client) as (reader, writer),
        connection(options.socket) as (local_reader, local_writer),
    ):
        for each in (writer, local_writer):
            each.write(b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n")
        for head in (reader, local_reader):
            assert (await head_of(head))[0] == 200
        door.ring.become([ClusterKey(bytes(range(50, 82)))])
        server.rekey()
        await reader.read()  # to the end of the connection
        local_writer.write(b"GET /v1/status HTTP/1.1\r\nHost: a\r\n\r\n")
        await local_reader.readuntil(b"}")
        assert (await head_of(local_reader))[0] == 200  # the others go on
        assert (await door.ask("GET", "/healthz")).status == 200  # by the new key, which the client has as well


@on_uvloop
async def test_without_the_key_there_is_no_answer(host: FakeHost, door: Door) -> None:
    async with door.open(host):
        async with connection(door.port) as (reader, writer):
            writer.write(b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n")
            assert b"HTTP" not in await reader.read()
        other = KeyRing([ClusterKey(bytes(range(50, 82)))]).client_context()
        with pytest.raises((ssl.SSLError, ConnectionError)):
            await ask(door.port, "GET", "/healthz", context=other)
        assert not host.calls
