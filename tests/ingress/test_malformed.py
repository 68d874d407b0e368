"""What is no HTTP, or too much of it, gets an error answer without details and never reaches the task."""

from __future__ import annotations

import pytest

from supervisor.ingress.options import MAX_FIELDS, MAX_LINE
from tests.ingress.harness import GET, on_uvloop, serving

HOST = b"Host: a\r\n"


def get(fields: bytes = HOST, line: bytes = b"GET / HTTP/1.1") -> bytes:
    return line + b"\r\n" + fields + b"\r\n"


def post(fields: bytes, body: bytes = b"abc") -> bytes:
    return get(HOST + fields, b"POST / HTTP/1.1") + body


CHUNKED = b"Transfer-Encoding: chunked\r\n"

BAD = {
    "both lengths": (400, post(b"Content-Length: 3\r\n" + CHUNKED, b"0\r\n\r\n")),
    "both lengths, other order": (400, post(CHUNKED + b"Content-Length: 3\r\n", b"0\r\n\r\n")),
    "two lengths": (400, post(b"Content-Length: 3\r\nContent-Length: 3\r\n")),
    "two different lengths": (400, post(b"Content-Length: 3\r\nContent-Length: 4\r\n")),
    "a list of lengths": (400, post(b"Content-Length: 3, 3\r\n")),
    "a signed length": (400, post(b"Content-Length: +3\r\n")),
    "a negative length": (400, post(b"Content-Length: -3\r\n")),
    "a length that is none": (400, post(b"Content-Length: three\r\n")),
    "a length past 64 bits": (400, post(b"Content-Length: 99999999999999999999\r\n")),
    "the parser's own sign for no length": (413, post(b"Content-Length: 18446744073709551615\r\n")),
    "chunked twice": (400, post(b"Transfer-Encoding: chunked, chunked\r\n", b"0\r\n\r\n")),
    "a coding that is not chunked": (400, post(b"Transfer-Encoding: gzip\r\n", b"")),
    "identity": (400, post(b"Transfer-Encoding: identity\r\n", b"")),
    "a second coding": (501, post(b"Transfer-Encoding: gzip, chunked\r\n", b"0\r\n\r\n")),
    "chunked in HTTP/1.0": (400, get(CHUNKED, b"POST / HTTP/1.0") + b"0\r\n\r\n"),
    "bare line feeds": (400, b"GET / HTTP/1.1\nHost: a\n\n"),
    "one bare line feed": (400, b"GET / HTTP/1.1\r\nHost: a\n\r\n"),
    "a bare carriage return": (400, get(HOST + b"X: a\rb\r\n")),
    "bare line feeds in chunks": (400, post(CHUNKED, b"1\nx\n0\n\n")),
    "a chunk size that is none": (400, post(CHUNKED, b"0x1\r\nx\r\n0\r\n\r\n")),
    "a chunk size past 64 bits": (400, post(CHUNKED, b"fffffffffffffffff\r\nx")),
    "a chunk longer than said": (400, post(CHUNKED, b"1\r\nxyz\r\n0\r\n\r\n")),
    "no host": (400, get(b"")),
    "two hosts": (400, get(HOST * 2)),
    "a host that is none": (400, get(b"Host: a b\r\n")),
    "a host with a path": (400, get(b"Host: a/b\r\n")),
    "a host with a user": (400, get(b"Host: u@a\r\n")),
    "a folded field": (400, get(HOST + b"X: a\r\n b\r\n")),
    "a space before the colon": (400, get(b"Host : a\r\n")),
    "a field without a colon": (400, get(HOST + b"nothing\r\n")),
    "a field without a name": (400, get(HOST + b": x\r\n")),
    "a name that is no token": (400, get(HOST + b"X(: x\r\n")),
    "a NUL in a field": (400, get(HOST + b"X: a\0b\r\n")),
    "a control character in a field": (400, get(HOST + b"X: a\x01b\r\n")),
    "a method in small letters": (400, get(line=b"get / HTTP/1.1")),
    "a method nobody knows": (400, get(line=b"FROBNICATE / HTTP/1.1")),
    "no target": (400, get(line=b"GET HTTP/1.1")),
    "a target with a tab": (400, get(line=b"GET /a\tb HTTP/1.1")),
    "a target that is not ASCII": (400, get(line=b"GET /\xc3\xa9 HTTP/1.1")),
    "a target without a host": (400, get(line=b"GET http:///x HTTP/1.1")),
    "an asterisk": (400, get(line=b"GET * HTTP/1.1")),
    "a version that is none": (400, get(line=b"GET / HTTP/1.2")),
    "HTTP/2 by its number": (505, get(line=b"GET / HTTP/2.0")),
    "HTTP/0.9 by its number": (505, get(line=b"GET / HTTP/0.9")),
    "HTTP/2's preface": (400, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
    "TLS": (400, b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"),
    "a tunnel": (501, get(line=b"CONNECT a:80 HTTP/1.1") + b"\x16\x03\x01"),
    "TRACE": (501, get(line=b"TRACE / HTTP/1.1")),
    "a long target": (431, get(line=b"GET /" + b"a" * MAX_LINE + b" HTTP/1.1")),
    "a long field": (431, get(HOST + b"X: " + b"a" * (MAX_LINE + 1) + b"\r\n")),
    "a long name": (431, get(HOST + b"a" * (MAX_LINE + 1) + b": x\r\n")),
    "many fields": (431, get(HOST + b"X: a\r\n" * MAX_FIELDS)),
    "a large head of fields that are not": (431, get(HOST + (b"X: " + b"a" * 8000 + b"\r\n") * 9)),
    "empty lines for ever": (431, b"\r\n" * 40_000),
}


@pytest.mark.parametrize("in_pieces", [False, True], ids=["at once", "in pieces"])
@pytest.mark.parametrize("name", BAD)
@on_uvloop
async def test_bad_requests(name: str, in_pieces: bool) -> None:
    status, wire = BAD[name]
    async with serving() as server:
        client = await server.client()
        if in_pieces:
            edge = len(wire) // 2
            client.send(wire[:edge])
            await client.writer.drain()
            client.send(wire[edge:])
        else:
            client.send(wire)
        response = await client.response()
        assert response.status == status
        assert response.problem["type"] == "about:blank"
        assert response.header(b"connection") == b"close"
        assert await client.closed() == b""
        for word in (b"Traceback", b"bytearray", b"Expected", b"Invalid", b"a" * 50):
            assert word not in response.body
        assert not server.backend.asked


@on_uvloop
async def test_a_bad_request_leaves_other_connections_alone() -> None:
    async with serving() as server:
        good = await server.client()
        assert (await good.ask()).status == 200
        assert (await server.once(b"nonsense\r\n\r\n")).status == 400
        assert (await good.ask()).status == 200


@on_uvloop
async def test_limits_of_the_head_are_where_they_are_said_to_be() -> None:
    async with serving() as server:
        assert (await server.once(get(HOST + b"X: a\r\n" * (MAX_FIELDS - 1)))).status == 200
        assert (await server.once(get(line=b"GET /" + b"a" * (MAX_LINE - 1) + b" HTTP/1.1"))).status == 200
        assert (await server.once(get(HOST + (b"X: " + b"a" * 8000 + b"\r\n") * 8))).status == 200


@on_uvloop
async def test_an_error_answer_is_not_overtaken_by_a_reset_for_what_was_not_read() -> None:
    async with serving(max_body=1000) as server:
        for _ in range(20):
            client = await server.client()
            client.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4000000\r\n\r\n" + b"x" * 4_000_000)
            assert (await client.response()).status == 413
            client.leave()


@on_uvloop
async def test_a_client_that_does_not_hang_up_after_an_error_is_hung_up_on() -> None:
    async with serving(linger=0.05) as server:
        client = await server.client()
        client.send(b"nonsense\r\n\r\n" + GET)
        assert (await client.response()).status == 400
        await server.wait_connections(0)
