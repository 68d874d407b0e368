"""What this package relies on inside aiohttp. A new aiohttp that fails here needs a look before it is taken."""

from __future__ import annotations

import asyncio
import hashlib
import inspect
from collections.abc import Callable
from typing import Any

import aiohttp
import pytest
from aiohttp import base_protocol, http_parser, streams, web_protocol, web_request, web_server
from aiohttp.http_exceptions import BadHttpMessage, HttpProcessingError, LineTooLong
from aiohttp.http_writer import HttpVersion10, HttpVersion11

from supervisor.ingress.connection import Connection
from supervisor.ingress.deadlines import Watched
from supervisor.ingress.lent import Answered, Lent
from supervisor.ingress.outgoing import Outgoing
from supervisor.ingress.pausing import Pausable
from supervisor.ingress.queue import Queued

# Methods that are overridden, replaced, or run with our state around them; the digest is of their source.
# To take a new aiohttp: read what changed in those that differ, adapt, then put the digest that the test shows here.
READ = {
    web_protocol.RequestHandler.__init__: "__init__",
    web_protocol.RequestHandler.connection_made: "connection_made",
    web_protocol.RequestHandler.connection_lost: "connection_lost",
    web_protocol.RequestHandler.data_received: "data_received",
    web_protocol.RequestHandler.eof_received: "eof_received",
    web_protocol.RequestHandler._process_keepalive: "_process_keepalive",
    web_protocol.RequestHandler._resume_reading_if_drained: "_resume_reading_if_drained",
    web_protocol.RequestHandler._handle_request: "_handle_request",
    web_protocol.RequestHandler.start: "start",
    web_protocol.RequestHandler.finish_response: "finish_response",
    web_protocol.RequestHandler.handle_error: "handle_error",
    web_protocol.RequestHandler._make_error_handler: "_make_error_handler",
    web_protocol.RequestHandler.force_close: "force_close",
    base_protocol.BaseProtocol.connection_made: "base.connection_made",
    base_protocol.BaseProtocol.connection_lost: "base.connection_lost",
    base_protocol.BaseProtocol.resume_writing: "base.resume_writing",
    base_protocol.BaseProtocol.resume_reading: "base.resume_reading",
    base_protocol.BaseProtocol._pause_reading_for_buffer: "base._pause_reading_for_buffer",
    base_protocol.BaseProtocol._resume_reading_for_buffer: "base._resume_reading_for_buffer",
    base_protocol.BaseProtocol._pause_transport_reading: "base._pause_transport_reading",
    base_protocol.BaseProtocol._resume_transport_reading: "base._resume_transport_reading",
    streams.StreamReader.feed_data: "StreamReader.feed_data",
    streams.StreamReader.feed_eof: "StreamReader.feed_eof",
    streams.StreamReader.read: "StreamReader.read",
    web_server.Server.connection_made: "Server.connection_made",
    web_server.Server.connection_lost: "Server.connection_lost",
    web_request.BaseRequest._cancel: "BaseRequest._cancel",
    web_request.BaseRequest._finish: "BaseRequest._finish",
}
DIGESTS = {
    "__init__": "46c577d1f419158f",
    "connection_made": "44d50b5763b2c7e4",
    "connection_lost": "df2fe6e95fd04c7c",
    "data_received": "1ee57ebe052e6c80",
    "eof_received": "5652627579a02369",
    "_process_keepalive": "b472e0fb8445ce42",
    "_resume_reading_if_drained": "27f2a6fbbb3a790e",
    "_handle_request": "a88a34ee65a2714c",
    "start": "2e565fd40c8e04fb",
    "finish_response": "b7eb53db8f4b30ca",
    "handle_error": "94962ffef500c172",
    "_make_error_handler": "b73dcf1dd177a243",
    "force_close": "38d0e1e798e4d3b7",
    "base.connection_made": "30974740198dec40",
    "base.connection_lost": "8b4e1725c5648b9c",
    "base.resume_writing": "7db135e0841e0425",
    "base.resume_reading": "21dee847a31af724",
    "base._pause_reading_for_buffer": "8a07d84ad8d45025",
    "base._resume_reading_for_buffer": "61aa4b49c6e1a288",
    "base._pause_transport_reading": "c6065fb62a6bed59",
    "base._resume_transport_reading": "da539eba13cb5a32",
    "StreamReader.feed_data": "7548cdda3ea70bf8",
    "StreamReader.feed_eof": "01592f4473c176b3",
    "StreamReader.read": "d2bec4bad05656dc",
    "Server.connection_made": "c57094db35388e6d",
    "Server.connection_lost": "fff3ade6ffe866a8",
    "BaseRequest._cancel": "17eda35f901c26ca",
    "BaseRequest._finish": "d60314d974d76c99",
}


def digest(function: Callable[..., Any]) -> str:
    return hashlib.sha256(inspect.getsource(function).encode()).hexdigest()[:16]


@pytest.mark.parametrize("function", READ, ids=list(READ.values()))
def test_what_was_read_is_what_runs(function: Callable[..., Any]) -> None:
    name = READ[function]
    assert digest(function) == DIGESTS.get(name), f"aiohttp {aiohttp.__version__} changed {name}: {digest(function)}"


def test_names_of_ours_hide_none_of_aiohttps() -> None:
    theirs = {name for base in web_protocol.RequestHandler.__mro__[:-1] for name in vars(base)}
    overridden = {
        "__doc__", "__init__", "__module__", "__slots__", "__firstlineno__", "__static_attributes__",
        "_process_keepalive", "connection_lost", "connection_made", "data_received", "eof_received", "handle_error",
        "resume_writing", "_resume_transport_reading",
    }  # fmt: skip
    for ours in (Outgoing, Pausable, Lent, Watched, Queued, Connection):
        assert set(vars(ours)) & theirs <= overridden


def test_the_parser_is_the_one_in_c() -> None:
    assert http_parser.HttpRequestParser.__module__ == "aiohttp._http_parser"


def _parser() -> Any:
    loop = asyncio.new_event_loop()
    loop.close()  # nothing runs on it, and its files are not left to the garbage collector
    return http_parser.HttpRequestParser(
        base_protocol.BaseProtocol(loop),
        loop,
        65_536,
        max_msg_queue_size=2,
        auto_decompress=False,
    )


def test_versions_are_singletons_and_a_request_without_a_body_has_the_empty_payload() -> None:
    parser = _parser()
    ((message, payload),), upgraded, tail = parser.feed_data(b"GET /x HTTP/1.1\r\nHost: a\r\nA: b\r\n\r\n")
    assert message.version is HttpVersion11
    assert payload is streams.EMPTY_PAYLOAD
    assert message.raw_headers == ((b"Host", b"a"), (b"A", b"b"))
    assert (upgraded, tail) == (False, b"")
    parser.message_consumed()
    ((message, _),), _, _ = parser.feed_data(b"GET /x HTTP/1.0\r\n\r\n")
    assert message.version is HttpVersion10
    assert message.should_close


def test_the_parser_stops_at_so_many_messages_until_they_are_consumed() -> None:
    get = b"GET /x HTTP/1.1\r\nHost: a\r\n\r\n"
    parser = _parser()
    assert len(parser.feed_data(get * 5)[0]) == 2
    parser.message_consumed()
    assert len(parser.feed_data(b"")[0]) == 1


def test_a_complete_body_lies_in_the_readers_buffer() -> None:
    ((_, payload),), _, _ = _parser().feed_data(b"PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc")
    assert payload.is_eof()
    assert (list(payload._buffer), payload.total_bytes) == ([b"abc"], 3)


def test_errors_say_which_limit_was_passed() -> None:
    with pytest.raises(LineTooLong):
        _parser().feed_data(b"GET /" + b"a" * 9000)
    with pytest.raises(BadHttpMessage) as caught:
        _parser().feed_data(b"GET / HTTP/1.1\r\nHost: a\r\n" + b"A: b\r\n" * 200)
    assert caught.value.message.startswith("Too many headers")
    assert issubclass(BadHttpMessage, HttpProcessingError)


def test_an_answered_response_has_what_start_looks_at() -> None:
    source = inspect.getsource(web_protocol.RequestHandler.start) + inspect.getsource(
        web_protocol.RequestHandler.finish_response
    )
    for name in ("keep_alive", "prepare", "write_eof"):
        assert f"resp.{name}" in source
        assert hasattr(Answered(keep_alive=True), name)
