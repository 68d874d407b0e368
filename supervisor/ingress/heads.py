"""From the parser's message to what a task is given: checks that the parser leaves to us, and forwarding rules."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

from aiohttp.http_parser import RawRequestMessage
from aiohttp.http_writer import HttpVersion10, HttpVersion11

from supervisor.ingress.options import MAX_HEAD
from supervisor.ingress.problems import fault
from supervisor.pool.exchange import FLAG_CLOSE, FLAG_HTTP10, Failure


class Head(NamedTuple):
    """A request's head, ready for Backend.request()."""

    flags: int
    method: bytes
    target: bytes
    headers: bytes
    length: int | None  # of the body; None: it says itself where it ends (chunked)
    expects: bool  # the client waits for 100 Continue before it sends the body


# Fields that speak about this connection and not about the request (RFC 9110, 7.6.1).
HOP_BY_HOP = frozenset(
    (b"connection", b"keep-alive", b"proxy-connection", b"te", b"trailer", b"transfer-encoding", b"upgrade", b"expect")
)

# Fields that a client cannot have dropped by naming them in Connection: they say who asks for what, and a proxy in
# front may have set them.
END_TO_END = frozenset((b"host", b"content-length", b"content-type", b"authorization", b"cookie", b"forwarded"))
END_TO_END |= {b"x-forwarded-for", b"x-forwarded-host", b"x-forwarded-proto", b"x-real-ip"}

# uri-host [":" port] without saying which kind of host it is: names, IPv4, bracketed IPv6. Empty is allowed.
HOST = re.compile(rb"(?:\[[0-9A-Fa-f:.%A-Za-z_~-]+\]|[A-Za-z0-9._~!$&'()*+,;=%-]*)(?::[0-9]*)?")

NOT_DONE = frozenset(("CONNECT", "TRACE"))  # tunnels and echoes; fetch's Request knows neither

NO_LENGTH = 2**64 - 1  # the parser's own sign for "no length known"; it takes such a request for one without a body


def head_of(message: RawRequestMessage, max_body: int | None) -> Head | Failure:
    """What a task is given of `message`, or why it will not be."""
    version = message.version
    if version is HttpVersion11:
        flags = FLAG_CLOSE if message.should_close or message.upgrade else 0
    elif version is HttpVersion10:
        flags = FLAG_CLOSE | FLAG_HTTP10
    else:
        return fault(505)
    if message.method in NOT_DONE:
        return fault(501, f"This server does not do {message.method}.")
    fields = message.raw_headers
    facts = _Facts(flags, max_body)
    for name, value in fields:
        look = LOOKS.get(name.lower())
        if look is not None:
            failure = look(facts, value)
            if failure is not None:
                return failure
    if facts.dropped is not None:
        dropped = facts.dropped
        fields = tuple(field for field in fields if field[0].lower() not in dropped)
    headers = b"".join([b"%b\n%b\n" % field for field in fields])
    if len(headers) > MAX_HEAD:
        return fault(431)
    target = message.path.encode("utf-8", "surrogateescape")
    return Head(flags, message.method.encode("ascii"), target, headers, facts.length, facts.expects)


class _Facts:
    """What fields say that is for us to know."""

    __slots__ = ("dropped", "expects", "flags", "length", "max_body")

    def __init__(self, flags: int, max_body: int | None) -> None:
        self.flags = flags
        self.max_body = max_body
        self.length: int | None = 0
        self.expects = False
        self.dropped: frozenset[bytes] | None = None  # names of fields that are not passed on

    def drop_hop_by_hop(self, _value: bytes) -> None:
        self.dropped = (self.dropped or frozenset()) | HOP_BY_HOP

    def connection(self, value: bytes) -> None:
        self.drop_hop_by_hop(value)
        assert self.dropped is not None
        self.dropped |= frozenset(option.strip(b" \t").lower() for option in value.split(b",")) - END_TO_END

    def host(self, value: bytes) -> Failure | None:
        if HOST.fullmatch(value) is None:
            return fault(400, "The Host field is not a host name or address.")
        return None

    def content_length(self, value: bytes) -> Failure | None:
        length = int(value)  # the parser has made sure that these are digits
        if length >= NO_LENGTH or (self.max_body is not None and length > self.max_body):
            return fault(413)
        self.length = length
        return None

    def transfer_encoding(self, value: bytes) -> Failure | None:
        if self.flags & FLAG_HTTP10:  # RFC 9112, 6.1: its framing cannot be trusted
            return fault(400)
        if value.lower() != b"chunked":
            return fault(501, "The only transfer coding that this server knows is chunked.")
        self.length = None
        self.drop_hop_by_hop(value)
        return None

    def expect(self, value: bytes) -> Failure | None:
        self.drop_hop_by_hop(value)
        if self.flags & FLAG_HTTP10:  # RFC 9110, 10.1.1: such an expectation is to be ignored
            return None
        if value.lower() != b"100-continue":
            return fault(417)
        self.expects = True
        return None


# Who looks at a field's value. A table, as most fields are in none of these.
LOOKS: dict[bytes, Callable[[_Facts, bytes], Failure | None]] = dict.fromkeys(HOP_BY_HOP, _Facts.drop_hop_by_hop) | {
    b"connection": _Facts.connection,
    b"host": _Facts.host,
    b"content-length": _Facts.content_length,
    b"transfer-encoding": _Facts.transfer_encoding,
    b"expect": _Facts.expect,
}
