"""The command line's client and the API understand each other: every method, over the socket and over TLS."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from itertools import islice
from pathlib import Path

import pytest

from supervisor.cli.address import HttpsAddress, SocketAddress
from supervisor.cli.client import Client
from supervisor.cli.codes import HostBusy, HostUnreachable, NotPermitted, UnknownToHost, WrongForHost
from supervisor.cli.sse import messages
from supervisor.cli.transport import Way
from supervisor.control.options import ControlOptions, RemoteOptions
from supervisor.control.server import ControlServer
from supervisor.errors import BootError, Place, Refused, SettingsError
from supervisor.spec.listen import ListenAddress
from tests.control.asking import TASK, on_uvloop
from tests.fakes.certificate import certificate
from tests.fakes.control import SOURCES, FakeHost

DATA = b"archive" * 100_000
DIGEST = hashlib.sha256(DATA).hexdigest()


def with_client(host: FakeHost, options: ControlOptions, use: Callable[[Client], None]) -> None:
    """Runs blocking code beside a server."""

    @on_uvloop
    async def run() -> None:
        async with ControlServer(host, options):
            await asyncio.to_thread(use, Client(Way(SocketAddress(str(options.socket)))))

    run()


def test_tasks_blocks_and_the_host(host: FakeHost, options: ControlOptions) -> None:
    def use(client: Client) -> None:
        plan = client.ask("PUT", "tasks", "shop", query={"dryRun": True}, body=TASK)
        assert plan.object["dryRun"] is True
        assert client.ask("PUT", "tasks", "shop", query={"dryRun": False, "bundle": None}, body=TASK).object["task"]
        assert [task["task"] for task in client.ask("GET", "tasks").objects] == ["shop"]
        assert client.ask("POST", "tasks", "shop", "stop").object["state"] == "stopped"
        assert client.ask("GET", "tasks", "shop", "logs", query={"tail": 5}).object["lines"] == []
        assert client.ask("DELETE", "tasks", "shop").text == ""
        assert client.ask("DELETE", "blocks", SOURCES[:8]).objects[0]["task"] == "loop"
        assert client.ask("GET", "status").object["state"] == "ready"
        assert client.ask("POST", "upgrade", body={"binary": None}).object["pid"] == 2
        client.ask("POST", "drain")

    with_client(host, options, use)
    assert host.draining


def test_bundles(host: FakeHost, options: ControlOptions) -> None:
    def use(client: Client) -> None:
        assert not client.has("bundles", DIGEST)
        client.upload([DATA[:1000], DATA[1000:]], len(DATA), "bundles", DIGEST)
        assert client.has("bundles", DIGEST)

    with_client(host, options, use)


def test_a_bundle_that_is_refused_early_is_told(host: FakeHost, options: ControlOptions) -> None:
    def use(client: Client) -> None:
        with pytest.raises(WrongForHost, match=r"(?s)larger than 1000 bytes.*`bundleSize`"):
            client.upload([DATA] * 10, len(DATA) * 10, "bundles", DIGEST)

    with_client(host, replace(options, bundle_size=1000), use)


def test_errors_keep_what_they_say(host: FakeHost, options: ControlOptions) -> None:
    def use(client: Client) -> None:
        with pytest.raises(UnknownToHost, match="there is no task shop"):
            client.ask("GET", "tasks", "shop")
        with pytest.raises(SettingsError) as settings:
            client.ask("POST", "apply", body=TASK | {"lisen": 1})
        assert settings.value.problems[0].field == "lisen"
        with pytest.raises(SettingsError) as label:
            client.ask("GET", "tasks", "../../etc")
        assert label.value.problems[0].field == "label"
        host.fail = BootError("threw", file="app.js", place=Place(3, 4), stack="at a")
        with pytest.raises(BootError) as boot:
            client.ask("POST", "tasks", "shop", "start")
        assert (boot.value.file, boot.value.place) == ("app.js", Place(3, 4))
        host.fail = Refused("full", retry_s=7)
        with pytest.raises(HostBusy, match="7 s"):
            client.ask("GET", "tasks")

    with_client(host, options, use)


def test_events_and_logs_are_followed(host: FakeHost, options: ControlOptions) -> None:
    for message in "abc":
        host.happen(message)

    def use(client: Client) -> None:
        client.ask("PUT", "tasks", "shop", body=TASK)
        host.lines["shop"] = []
        with client.follow("events", query={"after": 1}) as lines:
            told = [(each.id, json.loads(each.data)["message"]) for each in islice(messages(lines), 2)]
        assert told == [("2", "b"), ("3", "c")]
        host.say("shop", "hello")
        with client.follow("tasks", "shop", "logs", query={"follow": True, "tail": 10}) as lines:
            assert json.loads(next(lines))["text"] == "hello"

    with_client(host, options, use)


def test_over_tls(host: FakeHost, options: ControlOptions, folder: Path) -> None:
    files = certificate(folder)
    token = folder / "token"
    token.write_text("a" * 32)
    token.chmod(0o600)
    remote = RemoteOptions(ListenAddress("tcp", "127.0.0.1", 0), files.certificate, files.key, token)

    def use(port: int) -> None:
        address = HttpsAddress("localhost", port)
        way = Way(address, str(token), str(files.certificate))
        assert Client(way).ask("GET", "tasks").objects == []
        with pytest.raises(NotPermitted):
            Client(replace(way, token_file=None)).ask("GET", "tasks")
        with pytest.raises(HostUnreachable, match="trust"):
            Client(replace(way, ca_file=None)).ask("GET", "tasks")

    @on_uvloop
    async def run() -> None:
        async with ControlServer(host, replace(options, remote=remote)) as server:
            await asyncio.to_thread(use, int(server.addresses[1].rpartition(":")[2]))

    run()
