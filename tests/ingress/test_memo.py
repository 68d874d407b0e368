"""Heads that are recognised by their bytes: only whole ones, only between requests, and never too many."""

from __future__ import annotations

import asyncio

from hypothesis import example, given
from hypothesis import strategies as st

from supervisor.ingress.heads import Head
from supervisor.ingress.memo import LARGEST, HeadMemo, head_size
from supervisor.ingress.options import COLLECT
from tests.fakes.backend import Asked, echo
from tests.ingress.harness import GET, on_uvloop, serving

HEAD = Head(0, b"GET", b"/", b"", 0, expects=False)


def test_a_full_memo_starts_anew() -> None:
    memo = HeadMemo(capacity=3)
    for number in range(10):
        memo.remember(b"%d" % number, HEAD)
        assert len(memo) <= 3
        assert memo.recall(b"%d" % number) is HEAD
    assert memo.recall(b"0") is None


def test_what_is_not_kept() -> None:
    memo = HeadMemo()
    memo.remember(b"x" * (LARGEST + 1), HEAD)
    memo.remember(b"expects", HEAD._replace(expects=True))
    memo.remember(b"chunked", HEAD._replace(length=None))
    memo.remember(b"streams", HEAD._replace(length=COLLECT + 1))
    HeadMemo(capacity=0).remember(b"nothing", HEAD)
    assert len(memo) == 0


@given(st.binary(max_size=60))
@example(b"\r\n\r\nPOST / HTTP/1.1\r\n\r\n")
@example(b"a\r\n\r\nb\r\n\r\n")
@example(b"a\r\n\r")
@example(b"")
def test_the_size_of_a_head_is_that_of_the_first_one_or_none(data: bytes) -> None:
    size = head_size(data)
    if size:
        assert data[:size].endswith(b"\r\n\r\n")
        assert data[:size].count(b"\r\n\r\n") == 1
        assert data[0] not in b"\r\n"
    else:
        assert b"\r\n\r\n" not in data or data[0] in b"\r\n"


@on_uvloop
async def test_a_head_that_comes_again_is_not_parsed_again() -> None:
    async with serving() as server:
        client = await server.client()
        await client.ask()
        assert len(server.listeners._shared().memo) == 1
        (connection,) = server.listeners._connections()
        parser, connection._parser = connection._parser, None  # parsing would fail
        assert (await client.ask()).body == b"hello /"
        connection._parser = parser
        assert server.backend.asked[0].headers == server.backend.asked[1].headers


@on_uvloop
async def test_a_known_head_within_a_body_is_body() -> None:
    async with serving(echo) as server:
        client = await server.client()
        await client.ask(GET)
        client.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % (2 * len(GET)))
        (connection,) = server.listeners._connections()
        while connection._collected is None:
            await asyncio.sleep(0.001)
        client.send(GET)
        await asyncio.sleep(0.02)
        client.send(GET)
        assert (await client.response()).body == GET * 2


@on_uvloop
async def test_a_known_head_behind_a_part_of_another_is_not_recognised() -> None:
    async with serving() as server:
        client = await server.client()
        await client.ask(GET)
        client.send(b"GET /x HTTP/1.1\r\nX: ")
        await asyncio.sleep(0.02)
        client.send(GET)  # the line of GET is the value of X
        assert (await client.response()).body == b"hello /x"
        assert server.backend.asked[1].header(b"x") == b"GET / HTTP/1.1"
        assert (await client.ask(GET)).body == b"hello /"


@on_uvloop
async def test_a_known_head_behind_a_part_that_came_before_the_answer_is_not_recognised() -> None:
    waiting: list[Asked] = []
    async with serving(waiting.append) as server:
        client = await server.client()
        for number in range(2):
            client.send(GET)
            await server.backend.wait_asked(number + 1)
            await asyncio.sleep(0)
            if number == 1:
                client.send(b"GET /x HTTP/1.1\r\nX: ")
                await asyncio.sleep(0.02)
            waiting[number].respond(b"%d" % number)
            assert (await client.response()).body == b"%d" % number
        client.send(GET)
        assert (await server.backend.wait_asked(3)).target == b"/x"


@on_uvloop
async def test_a_known_head_behind_a_body_and_a_part_of_a_head_is_not_recognised() -> None:
    async with serving(echo) as server:
        client = await server.client()
        await client.ask(GET)
        post = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc"
        assert (await client.ask(post + b"GET /x HTTP/1.1\r\nX: ")).body == b"abc"
        client.send(GET)
        await client.response()
        assert server.backend.asked[2].target == b"/x"


@on_uvloop
async def test_a_known_head_behind_a_body_that_was_too_short_is_body() -> None:
    async with serving(echo) as server:
        client = await server.client()
        post = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % (len(GET) + 3)
        await client.ask(GET)
        assert (await client.ask(post + GET + b"abc")).body == GET + b"abc"
        client.send(post + b"abc")
        await asyncio.sleep(0.02)
        client.send(GET)
        assert (await client.response()).body == b"abc" + GET


@on_uvloop
async def test_a_known_head_that_comes_before_its_body_waits_for_it() -> None:
    async with serving(echo) as server:
        client = await server.client()
        for size in (9, 0, 9):
            head = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % size
            assert (await client.ask(head + b"x" * size)).body == b"x" * size
            client.send(head)
            await asyncio.sleep(0.02)
            client.send(b"y" * size)
            assert (await client.response()).body == b"y" * size


def test_heads_with_and_without_a_body_are_never_taken_for_each_other() -> None:
    memo = HeadMemo()
    memo.remember(b"announcing", HEAD._replace(length=1))
    memo.remember(b"whole", HEAD)
    assert memo.recall(b"announcing") is None
    assert memo.recall_announcing(b"whole") is None
    assert (memo.recall(b"whole"), len(memo)) == (HEAD, 2)


@on_uvloop
async def test_a_known_head_with_more_than_its_body_behind_it() -> None:
    async with serving(echo) as server:
        client = await server.client()
        post = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc"
        for _ in range(3):
            await client.ask(post)
        client.send(post + GET + post)
        assert [(await client.response()).body for _ in range(3)] == [b"abc", b"", b"abc"]
