"""The new process's side, against a predecessor that says what it should and what it should not."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Iterator
from typing import BinaryIO

import pytest

from supervisor.errors import IsolatedError
from supervisor.handover.channel import Channel
from supervisor.handover.environment import HANDOVER_FD
from supervisor.handover.protocol import Side, Word
from supervisor.handover.successor import PredecessorLost, Successor

type Pair = tuple[Channel, Successor]
OFFER = {"version": 1, "program": "0", "manifest": {"a": [1]}}


@pytest.fixture
def pair() -> Iterator[Pair]:
    first, second = socket.socketpair()
    environ = {HANDOVER_FD: str(second.detach())}
    successor = Successor.from_environment(environ)
    assert successor is not None
    assert HANDOVER_FD not in environ
    predecessor = Channel(first, Side.PREDECESSOR)
    yield predecessor, successor
    predecessor.close()
    successor.close()


async def offer(predecessor: Channel, body: dict[str, object] | None = None) -> None:
    hello = await predecessor.receive()
    assert hello.body["pid"] == os.getpid()
    await predecessor.send(Word.OFFER, OFFER if body is None else body, [2])


def nothing() -> BinaryIO:
    return open(os.devnull, "rb")


async def offered(pair: Pair) -> None:
    taking = asyncio.create_task(pair[1].offer())
    await offer(pair[0])
    await pair[0].send(Word.BOOT)
    await taking


async def test_sockets_and_files_arrive_with_their_keys(pair: Pair) -> None:
    predecessor, successor = pair
    taking = asyncio.create_task(successor.offer())
    await offer(predecessor)
    with socket.create_server(("127.0.0.1", 0)) as server, nothing() as file:
        await predecessor.send(Word.HANDLES, {"kind": "sockets", "keys": ["a", "a"]}, [server.fileno()] * 2)
        await predecessor.receive()
        await predecessor.send(Word.HANDLES, {"kind": "files", "keys": ["lock"]}, [file.fileno()])
        await predecessor.receive()
        await predecessor.send(Word.BOOT)
        found = await taking
        assert found.manifest == {"a": [1]}
        assert [(key, sock.getsockname()) for key, sock in found.sockets] == [("a", server.getsockname())] * 2
        ((key, handle),) = found.files
        assert (key, os.readlink(f"/proc/self/fd/{handle}")) == ("lock", os.devnull)
        os.close(handle)
        for _, sock in found.sockets:
            sock.close()


def test_without_the_variable_there_is_no_hand_over() -> None:
    assert Successor.from_environment({}) is None


@pytest.mark.parametrize("text", ["", "x", "-1", "99999", "9" * 40, "1.5"])
def test_a_variable_that_names_no_socket_is_told(text: str) -> None:
    with pytest.raises(IsolatedError, match="unset ISOLATED_HANDOVER_FD"):
        Successor.from_environment({HANDOVER_FD: text})


def test_a_descriptor_that_is_no_socket_is_told() -> None:
    with open(os.devnull, "rb") as file, pytest.raises(IsolatedError, match="not an open socket"):
        Successor.from_environment({HANDOVER_FD: str(file.fileno())})


@pytest.mark.parametrize("body", [{}, {"version": 2, "manifest": {}}, {"version": 1}, {"version": 1, "manifest": []}])
async def test_an_offer_that_does_not_fit_is_refused(pair: Pair, body: dict[str, object]) -> None:
    taking = asyncio.create_task(pair[1].offer())
    await offer(pair[0], body)
    with pytest.raises(PredecessorLost, match="does not fit"):
        await taking


async def test_handles_without_keys_are_refused(pair: Pair) -> None:
    taking = asyncio.create_task(pair[1].offer())
    await offer(pair[0])
    await pair[0].send(Word.HANDLES, {"kind": "sockets"})
    with pytest.raises(PredecessorLost, match="without keys"):
        await taking


async def test_a_boot_is_cancelled_when_the_predecessor_goes(pair: Pair) -> None:
    await offered(pair)
    cleaned = []

    async def work() -> None:
        try:
            await asyncio.sleep(3600)
        finally:
            cleaned.append(1)

    booting = asyncio.create_task(pair[1].boot(work()))
    await asyncio.sleep(0)
    pair[0].close()
    with pytest.raises(PredecessorLost, match="is gone"):
        await booting
    assert cleaned == [1]


async def test_a_boot_gives_its_result_or_its_error(pair: Pair) -> None:
    await offered(pair)

    async def work(value: int) -> float:
        return 1 / value

    assert await pair[1].boot(work(1)) == 1
    with pytest.raises(ZeroDivisionError):
        await pair[1].boot(work(0))


async def test_without_commit_it_is_not_the_host(pair: Pair) -> None:
    await offered(pair)
    await pair[1].ready({"tasks": 1})
    waiting = asyncio.create_task(pair[1].committed())
    assert (await pair[0].receive()).body == {"tasks": 1}
    pair[0].close()
    with pytest.raises(PredecessorLost):
        await waiting


async def test_giving_up_is_told_even_if_nobody_listens(pair: Pair) -> None:
    await offered(pair)
    await pair[1].give_up("no room")
    assert (await pair[0].receive()).body == {"why": "no room"}
    await pair[1].give_up("again")
