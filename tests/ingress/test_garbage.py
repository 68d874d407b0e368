"""Whatever a client sends: an answer or a closed connection, no traceback, and others are served on."""

from __future__ import annotations

import asyncio

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fakes.backend import echo
from tests.ingress.harness import Response, Server, on_uvloop, serving

PIECES = st.sampled_from(
    (
        *(b"GET / HTTP/1.1\r\n", b"POST / HTTP/1.1\r\n", b"PUT /x HTTP/1.0\r\n", b"CONNECT a:1 HTTP/1.1\r\n"),
        *(b"Host: a\r\n", b"X: y\r\n", b"Content-Length: 5\r\n", b"Content-Length: 200000\r\n"),
        *(b"Transfer-Encoding: chunked\r\n", b"5\r\nhello\r\n", b"0\r\n\r\n", b"fffffff\r\n", b"1;ext\r\nx\r\n"),
        *(b"Connection: Upgrade\r\n", b"Upgrade: websocket\r\n", b"Upgrade: h2c\r\n", b"Connection: close\r\n"),
        *(b"Expect: 100-continue\r\n", b"\r\n", b"\n", b"\r", b": ", b"\0", b"\x16\x03\x01", b"hello"),
        *(b"x" * 9000, b"a" * 140_000, b"HTTP/1.1 200 OK\r\n"),
    )
)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.one_of(PIECES, st.binary(max_size=40)), max_size=14), st.booleans())
@on_uvloop
async def test_no_input_hangs_or_breaks_the_server(pieces: list[bytes], in_pieces: bool) -> None:
    short = {"keep_alive": 0.15, "head_timeout": 0.15, "body_timeout": 0.15, "linger": 0.05, "half_closed": 0.05}
    async with serving(echo, **short) as server:
        client = await server.client()
        if in_pieces:
            for piece in pieces:
                client.send(piece)
                await asyncio.sleep(0)
        else:
            client.send(b"".join(pieces))
        await client.closed()  # ends by itself: on_uvloop gives up a test that hangs
        assert (await served(server)).status == 200


async def served(server: Server) -> Response:
    """The answer to a client; with times so short one that is slow to ask is hung up on, and comes again."""
    while True:
        client = await server.client()
        try:
            return await client.ask()
        except asyncio.IncompleteReadError, ConnectionError:
            client.leave()
