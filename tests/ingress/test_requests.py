"""What a task gets of a request and a client of the answer, when both come whole."""

from __future__ import annotations

import pytest

from supervisor.pool.exchange import FLAG_CLOSE, FLAG_HTTP10
from tests.fakes.backend import Asked, echo
from tests.ingress.harness import GET, logged, on_uvloop, serving


@on_uvloop
async def test_a_request_is_passed_on_and_its_answer_comes_back() -> None:
    async with serving() as server:
        client = await server.client()
        response = await client.ask(b"GET /a?b=%20c HTTP/1.1\r\nHost: example.com\r\nX-Case:  kept \r\n\r\n")
        assert (response.status, response.body) == (200, b"hello /a?b=%20c")
        asked = server.backend.asked[0]
        assert (asked.method, asked.target, asked.flags) == (b"GET", b"/a?b=%20c", 0)
        assert asked.headers == b"Host\nexample.com\nX-Case\nkept\n"
        assert asked.body == b""


@on_uvloop
async def test_a_connection_serves_many_requests() -> None:
    async with serving() as server:
        client = await server.client()
        for number in range(50):
            response = await client.ask(b"GET /%d HTTP/1.1\r\nHost: a\r\n\r\n" % number)
            assert response.body == b"hello /%d" % number
        assert server.connections == 1


@on_uvloop
async def test_connection_close_is_told_to_the_task_and_done() -> None:
    async with serving() as server:
        client = await server.client()
        response = await client.ask(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        assert response.header(b"connection") == b"close"
        assert server.backend.asked[0].flags == FLAG_CLOSE
        assert await client.closed() == b""


@on_uvloop
async def test_a_client_that_wants_the_end_gets_it_whatever_the_task_says() -> None:
    def answer(asked: Asked) -> None:
        asked.flags = 0
        asked.respond(b"stays")

    async with serving(answer) as server:
        client = await server.client()
        assert (await client.ask(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")).body == b"stays"
        assert await client.closed() == b""


@pytest.mark.parametrize("keep_alive", [b"", b"Connection: keep-alive\r\n"])
@on_uvloop
async def test_http10_is_answered_and_closed(keep_alive: bytes) -> None:
    async with serving() as server:
        client = await server.client()
        response = await client.ask(b"GET / HTTP/1.0\r\n" + keep_alive + b"\r\n")
        assert response.body == b"hello /"
        assert server.backend.asked[0].flags == FLAG_CLOSE | FLAG_HTTP10
        assert await client.closed() == b""


@on_uvloop
async def test_head_204_and_304_leave_the_connection_in_step() -> None:
    def answer(asked: Asked) -> None:
        if asked.target == b"/204":
            asked.exchange.response(b"HTTP/1.1 204 No Content\r\n\r\n", False)
            asked.over = True
        elif asked.target == b"/304":
            asked.exchange.response(b"HTTP/1.1 304 Not Modified\r\n\r\n", False)
            asked.over = True
        else:
            asked.respond(b"body of " + asked.target)

    async with serving(answer) as server:
        client = await server.client()
        response = await client.ask(b"HEAD /h HTTP/1.1\r\nHost: a\r\n\r\n", head_only=True)
        assert response.header(b"content-length") == b"10"
        assert (await client.ask(b"GET /204 HTTP/1.1\r\nHost: a\r\n\r\n")).status == 204
        assert (await client.ask(b"GET /304 HTTP/1.1\r\nHost: a\r\n\r\n")).status == 304
        assert (await client.ask()).body == b"body of /"


@pytest.mark.parametrize("method", [b"PUT", b"DELETE", b"PATCH", b"OPTIONS", b"PROPFIND", b"QUERY", b"PURGE"])
@on_uvloop
async def test_methods_pass(method: bytes) -> None:
    async with serving() as server:
        assert (await server.once(method + b" /x HTTP/1.1\r\nHost: a\r\n\r\n")).status == 200
        assert server.backend.asked[0].method == method


@pytest.mark.parametrize("target", [b"/", b"/a%2Fb?x=1&y=%C3%A9", b"http://b:1/x?y", b"/a#b", b"//c"])
@on_uvloop
async def test_targets_pass_as_written(target: bytes) -> None:
    async with serving() as server:
        await server.once(b"GET " + target + b" HTTP/1.1\r\nHost: a\r\n\r\n")
        assert server.backend.asked[0].target == target


@on_uvloop
async def test_options_asterisk_passes() -> None:
    async with serving() as server:
        await server.once(b"OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n")
        assert server.backend.asked[0].target == b"*"


@on_uvloop
async def test_fields_of_the_connection_are_not_passed_on() -> None:
    async with serving(echo) as server:
        await server.once(
            b"POST / HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, X-Gone, Cookie\r\nKeep-Alive: 5\r\nX-Gone: 1\r\n"
            b"Proxy-Connection: x\r\nTE: trailers\r\nTrailer: T\r\nTransfer-Encoding: chunked\r\nUpgrade: h2c\r\n"
            b"Cookie: kept\r\nX-Kept: 1\r\n\r\n1\r\nb\r\n0\r\nT: u\r\n\r\n"
        )
        asked = server.backend.asked[0]
        assert asked.headers == b"Host\na\nCookie\nkept\nX-Kept\n1\n"
        assert asked.body == b"b"


@on_uvloop
async def test_bytes_above_ascii_in_fields_pass_unchanged() -> None:
    async with serving() as server:
        await server.once(b"GET / HTTP/1.1\r\nHost: a\r\nX: caf\xe9 \xff\r\n\r\n")
        assert server.backend.asked[0].header(b"x") == b"caf\xe9 \xff"


@pytest.mark.parametrize("host", [b"", b"a.example:80", b"127.0.0.1", b"[::1]:8080", b"a_b", b"xn--nxasmq6b"])
@on_uvloop
async def test_hosts_that_are_right_pass(host: bytes) -> None:
    async with serving() as server:
        assert (await server.once(b"GET / HTTP/1.1\r\nHost: " + host + b"\r\n\r\n")).status == 200


@on_uvloop
async def test_an_upgrade_is_an_ordinary_request_and_the_connections_last() -> None:
    for protocol in (b"websocket", b"h2c"):
        async with serving() as server:
            client = await server.client()
            response = await client.ask(
                b"GET /u HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: " + protocol + b"\r\n\r\n" + GET
            )
            assert (response.status, response.body) == (200, b"hello /u")
            assert response.header(b"connection") == b"close"
            assert await client.closed() == b""
            assert len(server.backend.asked) == 1
            assert server.backend.asked[0].header(b"upgrade") is None


@on_uvloop
async def test_a_response_of_50_megabytes_goes_out_whole() -> None:
    big = bytes(range(256)) * 195_313
    async with serving(lambda asked: asked.respond(big)) as server:
        client = await server.client()
        assert (await client.ask()).body == big


@on_uvloop
async def test_a_task_may_answer_before_it_returned() -> None:
    async with serving() as server:
        server.backend.at_once = True
        client = await server.client()
        for _ in range(3):
            client.send(GET * 100)
            for _ in range(100):
                assert (await client.response()).body == b"hello /"
        assert len(server.backend.asked) == 300


@on_uvloop
async def test_an_error_of_ours_is_a_500_without_words() -> None:
    async with serving() as server:
        server.backend.request = lambda *_: 1 / 0  # type: ignore[assignment]
        with logged("supervisor.ingress") as lines:
            response = await server.once(GET)
        assert "ZeroDivisionError" in lines[0]
        assert response.status == 500
        assert b"division" not in response.body
