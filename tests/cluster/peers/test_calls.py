"""What a host asks of another arrives as it was meant, and so does the answer; whatever fails is Silent."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from supervisor.cluster.peers.calls import CallTimes, PeerCalls
from supervisor.cluster.peers.psk import KeyRing
from supervisor.cluster.peers.wire import Wire
from supervisor.cluster.ports import Peers, Silent
from supervisor.cluster.values import (
    Admitted,
    Booted,
    Capacity,
    Cause,
    Claim,
    Full,
    Leased,
    Member,
    Promised,
    Refused,
    Revised,
    Version,
    Withheld,
)
from supervisor.errors import Refused as Refusal
from supervisor.state.errors import StoreFull
from tests.cluster.peers.hosts import KEY, OTHER, PATIENT, answer, member, nobody, peer, saying
from tests.control.asking import on_uvloop
from tests.fakes.door import record_named
from tests.fakes.relay import relay

RECORD = record_named()
CLAIM = Claim("shop", 3, "host-2", Version(2, 3))
SHORT = CallTimes(call=0.3, boot=0.3)
CALLS: list[Callable[[PeerCalls, Member], Awaitable[Any]]] = [
    lambda calls, to: calls.admit(to, RECORD),
    lambda calls, to: calls.boot(to, "shop", 2),
    lambda calls, to: calls.guard(to, RECORD),
    lambda calls, to: calls.claim(to, CLAIM),
    lambda calls, to: calls.lease(to, "host-1", {"shop": Version(2, 3)}),
    lambda calls, to: calls.records(to),
    lambda calls, to: calls.retire(to, "shop", 2),
    lambda calls, to: calls.grant(to, "host-1"),
    lambda calls, to: calls.find(to, "shop"),
    lambda calls, to: calls.revise(to, RECORD),
]


def a_wire() -> Wire:
    return Wire(KeyRing([KEY]))


@on_uvloop
async def test_questions_and_answers_arrive_as_they_are(folder: Path) -> None:
    newer = record_named(epoch=9, settings={"env": {"A": "\u00fc\0"}})
    full = Full(Capacity(5, None, frozenset({1, 7})))
    asked: list[tuple[str, tuple[Any, ...], Any]] = [
        ("admit", (RECORD,), Admitted()),
        ("admit", (RECORD,), full),
        ("admit", (RECORD,), Refused("it drains")),
        ("boot", ("shop", 2), Booted()),
        ("boot", ("shop", 2), Refused("SyntaxError: no")),
        ("guard", (RECORD,), None),
        ("guard", (RECORD,), Withheld(newer, 9)),
        ("claim", (CLAIM,), Promised()),
        ("claim", (CLAIM,), Withheld(None, 4)),
        ("lease", ("host-1", {"shop": Version(2, 3), "b": Version(1, 1)}), Leased(frozenset({"shop"}), {"b": 4})),
        ("records", (), {"shop": Version(2, 3)}),
        ("retire", ("shop", 4), None),
        ("grant", ("host-1",), False),
        ("find", ("shop",), None),
        ("find", ("shop",), newer),
        ("revise", (newer,), Revised(newer)),
        ("revise", (newer,), Refused("not the owner")),
        ("revise", (newer,), Refused("SyntaxError: no", Cause.PROGRAM)),
    ]
    async with peer(folder) as host, a_wire() as wire:
        calls: Peers = PeerCalls(wire, PATIENT)
        for name, arguments, expected in asked:
            host.door.answers[name] = expected
            assert await getattr(calls, name)(host.member, *arguments) == expected
            assert host.door.asked[-1] == (name, *arguments)


@on_uvloop
async def test_who_sends_a_record_is_told_and_older_hosts_do_not_say(folder: Path) -> None:
    async with peer(folder) as host, a_wire() as wire:
        for me in ("host-2", ""):
            calls = PeerCalls(wire, PATIENT, me=me)
            await calls.admit(host.member, RECORD)
            await calls.guard(host.member, RECORD)
            await calls.revise(host.member, RECORD)
        assert host.door.callers == ["host-2"] * 3 + [""] * 3


@on_uvloop
async def test_connections_are_used_again(folder: Path) -> None:
    async with peer(folder) as host, a_wire() as wire, relay(host.port) as listened:
        calls = PeerCalls(wire, PATIENT)
        for call in CALLS * 3:
            await call(calls, member("host-1", listened.port))
        assert len(listened.recordings) == 1


@on_uvloop
async def test_a_host_that_is_not_reached_or_does_not_have_the_key_is_silent(folder: Path) -> None:
    async with peer(folder) as host, a_wire() as wire:
        host.ring.become([OTHER])
        calls = PeerCalls(wire, PATIENT)
        with nobody() as port:
            for to in (host.member, member("gone", port), member("odd", 0), member("host", 1, "no such name")):
                for call in CALLS:
                    with pytest.raises(Silent, match=to.id):
                        await call(calls, to)
        assert not host.door.asked


@on_uvloop
async def test_a_host_that_does_not_answer_is_told_of_in_words(folder: Path) -> None:
    async with peer(folder) as host, saying(b"") as closing, a_wire() as wire:
        host.ring.become([OTHER])
        calls = PeerCalls(wire, PATIENT)

        async def why(to: Member) -> str:
            with pytest.raises(Silent) as caught:
                await calls.grant(to, "host-2")
            return str(caught.value).removeprefix(f"{to.id} at {to.api} ")

        with nobody() as port:
            assert await why(member("gone", port)) == "cannot be reached (connection refused)"
        assert (await why(member("lost", 1, "no such name"))).startswith("cannot be reached (")
        assert await why(member("odd", 99_999)) == "has no address that can be called"
        assert await why(member("closing", closing)) == "breaks off (server disconnected)"
        assert await why(host.member) in (
            "does not speak TLS with a key of this cluster",
            "cannot be reached: it closes the connection",
            "cannot be reached (connection reset by peer)",
        )


@on_uvloop
async def test_a_host_that_takes_too_long_is_silent(folder: Path) -> None:
    async with peer(folder) as host, a_wire() as wire:
        host.door.gate = asyncio.Event()
        calls = PeerCalls(wire, SHORT)
        for call in CALLS:
            with pytest.raises(Silent, match="in time"):
                await call(calls, host.member)
        host.door.gate.set()


@on_uvloop
async def test_calls_are_counted_by_what_was_asked_and_how_it_went(folder: Path) -> None:
    async with peer(folder) as host, a_wire() as wire:
        calls = PeerCalls(wire)
        assert await calls.find(host.member, "shop") is None
        await calls.find(host.member, "other")
        await calls.boot(host.member, "shop", 2)
        with nobody() as port, pytest.raises(Silent):
            await calls.find(member("gone", port), "shop")
        counts = {what: (each.answered, each.silent) for what, each in calls.counts.items()}
        assert counts == {"find": (2, 1), "boot": (1, 0)}
        assert all(each.seconds > 0 for each in calls.counts.values())


@on_uvloop
async def test_a_boot_may_take_longer_than_the_others(folder: Path) -> None:
    async with peer(folder) as host, a_wire() as wire:
        host.door.gate = asyncio.Event()
        calls = PeerCalls(wire, CallTimes(call=0.2, boot=60.0))
        booting = asyncio.create_task(calls.boot(host.member, "shop", 2))
        with pytest.raises(Silent):
            await calls.grant(host.member, "host-2")
        host.door.gate.set()
        assert await booting == Booted()


@on_uvloop
async def test_a_host_that_says_that_it_did_nothing_has_refused(folder: Path) -> None:
    async with peer(folder) as host, a_wire() as wire:
        calls = PeerCalls(wire, PATIENT)
        for error in (Refusal("the host drains"), StoreFull(Path("/state"), "no room", "make some")):
            for call in (calls.admit, calls.revise):
                host.door.fail = error
                found = await call(host.member, RECORD)
                assert isinstance(found, Refused)
                assert found.problem.replace("\\n", "") in error.message
            host.door.fail = error
            with pytest.raises(Silent, match="refuses"):
                await calls.guard(host.member, RECORD)


@on_uvloop
async def test_a_host_with_a_defect_may_have_done_it(folder: Path) -> None:
    async with peer(folder) as host, a_wire() as wire:
        calls = PeerCalls(wire, PATIENT)
        for call in CALLS:
            host.door.fail = RuntimeError("a defect")
            with pytest.raises(Silent, match="a defect of isolated"):
                await call(calls, host.member)


OK = json.dumps({"outcome": "admitted"}).encode()


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"HTTP/1.1 200 OK\r\n",
        b"SSH-2.0-OpenSSH\r\n\r\n",
        answer(OK, length=len(OK) + 1),  # breaks off
        answer(b""),
        answer(b"{"),
        answer(b"[" * 100_000),
        answer(b"\xff\xfe"),
        answer(b"[]"),
        answer(b"null"),
        answer(b'{"outcome": "eaten"}'),
        answer(b'{"outcome": "full"}'),
        answer(b'{"outcome": "full", "free": {"memory": "much"}}'),
        answer(b'{"outcome": "refused"}'),
        answer(b'{"outcome": "revised"}'),
        answer(b'{"renewed": ["../a"], "superseded": {}}'),
        answer(b"{}", "500 Oops"),
        answer(b"<html>", "502 Bad Gateway", "text/html"),
    ],
)
def test_an_answer_that_is_none_is_silence(data: bytes) -> None:
    @on_uvloop
    async def run() -> None:
        async with saying(data) as port, a_wire() as wire:
            calls = PeerCalls(wire, PATIENT)
            for call in CALLS:
                with pytest.raises(Silent):
                    await call(calls, member("host-1", port))

    run()


@on_uvloop
async def test_an_answer_to_another_question_is_silence(folder: Path) -> None:
    async with peer(folder) as host, a_wire() as wire:
        host.door.answers |= {"admit": Booted(), "boot": Admitted(), "revise": Admitted()}
        calls = PeerCalls(wire, PATIENT)
        for call in (CALLS[0], CALLS[1], CALLS[-1]):
            with pytest.raises(Silent, match="another question"):
                await call(calls, host.member)


@on_uvloop
async def test_nobody_is_sent_elsewhere(folder: Path) -> None:
    async with peer(folder) as other, a_wire() as wire:
        elsewhere = f"307 Temporary Redirect\r\nLocation: https://127.0.0.1:{other.port}/v1/peer/admit"
        async with saying(answer(b"", elsewhere)) as port:
            with pytest.raises(Silent):
                await PeerCalls(wire, PATIENT).admit(member("host-1", port), RECORD)
    assert not other.door.asked


@on_uvloop
async def test_an_answer_without_end_is_silence() -> None:
    async with saying(answer(bytes(2_000_000), length=2**40)) as port, a_wire() as wire:
        with pytest.raises(Silent, match="more than 1000 bytes"):
            await wire.ask(member("host-1", port), "GET", "/v1/tasks", within_s=60.0, limit=1000)


@on_uvloop
async def test_control_calls_are_passed_on_as_they_are(folder: Path) -> None:
    body = b'{"taskId": "shop", "mainPath": "./app.js", "listen": ["127.0.0.1:3000"]}'
    async with peer(folder) as host, a_wire() as wire:
        reply = await wire.pass_on(host.member, "PUT", "/v1/tasks/shop?dryRun=false", body, within_s=60.0)
        assert (reply.status, reply.media) == (201, "application/json")
        assert reply.document()["task"] == "shop"
        assert list(host.host.specs) == ["shop"]
        gone = await wire.pass_on(host.member, "GET", "/v1/tasks/other", None, within_s=60.0)
        assert (gone.status, gone.media) == (404, "application/problem+json")
        assert gone.problem == "there is no task other"
        assert (await wire.pass_on(host.member, "DELETE", "/v1/tasks/shop", None, within_s=60.0)).status == 204
        assert not host.host.specs


@on_uvloop
async def test_logs_are_followed_through_and_end_with_who_follows(folder: Path) -> None:
    async with peer(folder) as host, a_wire() as wire:
        await wire.ask(
            host.member, "POST", "/v1/apply", {"taskId": "shop", "mainPath": "a.js", "listen": []}, within_s=60.0
        )
        host.host.say("shop", "one")
        path = "/v1/tasks/shop/logs?follow=true"
        async with wire.follow(host.member, path, quiet_s=None) as (head, chunks):
            assert (head.status, head.media) == (200, "application/x-ndjson")
            assert b"one" in await anext(chunks)
            host.host.say("shop", "two")
            assert b"two" in await anext(chunks)
        while host.host.feeds["shop"].followers:
            await asyncio.sleep(0.001)
        async with wire.follow(host.member, path, quiet_s=None) as (head, chunks):
            await anext(chunks)
            await host.host.remove("shop")
            assert [chunk async for chunk in chunks] == []
        async with wire.follow(host.member, path, quiet_s=None) as (head, chunks):
            assert head.status == 404
            assert b"there is no task shop" in b"".join([chunk async for chunk in chunks])


@on_uvloop
async def test_a_stream_that_breaks_off_is_silence() -> None:
    async with (
        saying(answer(b"x", length=5)) as port,
        a_wire() as wire,
        wire.follow(member("host-1", port), "/x", quiet_s=None) as (_, chunks),
    ):
        assert await anext(chunks) == b"x"
        with pytest.raises(Silent):
            await anext(chunks)


@on_uvloop
async def test_a_stream_that_falls_quiet_is_silence(folder: Path) -> None:
    async with (
        peer(folder) as host,
        a_wire() as wire,
        wire.follow(host.member, "/v1/events", quiet_s=2.0) as (_, chunks),
    ):
        assert await anext(chunks) == b"retry: 1000\n\n"
        with pytest.raises(Silent, match="in time"):
            await anext(chunks)


@on_uvloop
async def test_a_kept_connection_that_the_host_has_closed_is_not_noticed(folder: Path) -> None:
    async with peer(folder) as host, a_wire() as wire, relay(host.port) as listened:
        calls = PeerCalls(wire, PATIENT)
        to = member("host-1", listened.port)
        for _ in range(3):
            assert await calls.admit(to, RECORD) == Admitted()
            listened.cut()
        assert len(listened.recordings) == 3
