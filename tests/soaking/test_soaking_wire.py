"""The client of a soak: right answers of each kind, and each kind of wrong one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from tools.soaking.programs import HELLO
from tools.soaking.traffic import Counts, ask_once
from tools.soaking.wire import HOST, Client, NoAnswer, WrongAnswer

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"


@asynccontextmanager
async def answering(*answers: bytes, end: bool = True) -> AsyncIterator[tuple[int, list[bytes]]]:
    """A server that gives one answer after another, whoever asks; its port, and the heads that it got."""
    heads: list[bytes] = []
    left = list(answers)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while left:
                heads.append(await reader.readuntil(b"\r\n\r\n"))
                answer = left.pop(0)
                writer.write(answer)
                await writer.drain()
                if b"Connection: close" in answer:
                    break
            if not end:
                await reader.read()
        except asyncio.IncompleteReadError:
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, HOST, 0)
    async with server:
        yield server.sockets[0].getsockname()[1], heads


async def test_a_connection_is_kept() -> None:
    async with answering(OK, OK) as (port, heads):
        client = Client(port)
        assert [await client.ask(), await client.ask(path="/b")] == [(200, b"hello")] * 2
        client.close()
        assert heads[1].startswith(b"GET /b HTTP/1.1\r\nHost: ")


async def test_after_close_the_next_request_has_a_new_connection() -> None:
    closing = OK.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
    async with answering(closing, OK) as (port, heads):
        client = Client(port)
        assert await client.ask(close=True) == (200, b"hello")
        assert await client.ask() == (200, b"hello")
        client.close()
        assert b"\r\nConnection: close\r\n" in heads[0]


async def test_chunks_are_one_body() -> None:
    chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n"
    async with answering(chunked, OK) as (port, _):
        client = Client(port)
        assert [await client.ask(), await client.ask()] == [(200, b"hello")] * 2
        client.close()


@pytest.mark.parametrize(
    "answer",
    [b"", b"HTTP/1.1 200", b"nonsense\r\n\r\n", OK[:-1], OK.replace(b"5", b"five"), OK.replace(b"200", b"2OO")],
)
async def test_what_is_no_answer_is_a_wrong_one_and_the_next_request_has_a_new_connection(answer: bytes) -> None:
    async with answering(answer) as (port, _):
        client = Client(port)
        with pytest.raises(WrongAnswer, match=f"on port {port}"):
            await client.ask()
    async with answering(OK) as (port, _):
        assert await Client(port).ask() == (200, b"hello")


async def test_nobody_there_is_a_wrong_answer() -> None:
    async with answering() as (port, _):
        pass
    with pytest.raises(WrongAnswer, match="ConnectionRefusedError"):
        await Client(port).ask()


@pytest.mark.parametrize("answer", [b"", OK[:-1], b"HTTP/1.1 200 OK\r\n\r\n5\r\nhello\r\n"])
async def test_an_answer_that_does_not_end_in_time_is_told_apart(answer: bytes) -> None:
    async with answering(answer, end=False) as (port, _):
        with pytest.raises(NoAnswer, match="TimeoutError"):
            await Client(port, 0.2).ask()


@pytest.mark.parametrize(
    ("answer", "requests"), [(OK, 1), (OK.replace(b"hello", b"HELLO"), 0), (OK.replace(b"200", b"500"), 0)]
)
async def test_only_the_right_answer_counts_as_one(answer: bytes, requests: int) -> None:
    counts = Counts()
    async with answering(answer) as (port, _):
        with counts.checking("hello"):
            await ask_once(Client(port), HELLO, counts, close=True)
    assert (counts.requests, counts.failures) == (requests, 1 - requests)
    assert all(text.startswith("hello: ") for text in counts.told)
    assert len(counts.told) == counts.failures
