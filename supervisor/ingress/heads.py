"""From the parser's message to what a task is given: checks that the parser leaves to us, and forwarding rules."""

from __future__ import annotations

import re
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


# Fields that speak about this connection and not about the request (RFC 9110, 7.6.1), and those we have to look at.
HOP_BY_HOP = frozenset(
    (b"connection", b"keep-alive", b"proxy-connection", b"te", b"trailer", b"transfer-encoding", b"upgrade", b"expect")
)
LOOKED_AT = HOP_BY_HOP | {b"content-length", b"host"}

# Fields that a client cannot have dropped by naming them in Connection: they say who asks for what, and a proxy in
# front may have set them.
END_TO_END = frozenset((b"host", b"content-length", b"content-type", b"authorization", b"cookie", b"forwarded"))
END_TO_END |= {b"x-forwarded-for", b"x-forwarded-host", b"x-forwarded-proto", b"x-real-ip"}

# uri-host [":" port] without saying which kind of host it is: names, IPv4, bracketed IPv6. Empty is allowed.
HOST = re.compile(rb"(?:\[[0-9A-Fa-f:.%A-Za-z_~-]+\]|[A-Za-z0-9._~!$&'()*+,;=%-]*)(?::[0-9]*)?")

NOT_DONE = frozenset(("CONNECT", "TRACE"))  # tunnels and echoes; fetch's Request knows neither


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
    special = [(name.lower(), value) for name, value in fields if name.lower() in LOOKED_AT]
    length: int | None = 0
    expects = False
    dropped: frozenset[bytes] = frozenset()
    for name, value in special:
        if name == b"host":
            if HOST.fullmatch(value) is None:
                return fault(400, "The Host field is not a host name or address.")
        elif name == b"content-length":
            length = int(value)
            if length >= NO_LENGTH or (max_body is not None and length > max_body):
                return fault(413)
        else:
            dropped |= HOP_BY_HOP
            if name == b"connection":
                dropped |= _options(value)
            elif name == b"transfer-encoding":
                if version is HttpVersion10:  # RFC 9112, 6.1: its framing cannot be trusted
                    return fault(400)
                if value.lower() != b"chunked":
                    return fault(501, "The only transfer coding that this server knows is chunked.")
                length = None
            elif name == b"expect" and version is HttpVersion11:
                if value.lower() != b"100-continue":
                    return fault(417)
                expects = True
    if dropped:
        fields = tuple(field for field in fields if field[0].lower() not in dropped)
    headers = b"".join([b"%b\n%b\n" % field for field in fields])
    if len(headers) > MAX_HEAD:
        return fault(431)
    target = message.path.encode("utf-8", "surrogateescape")
    return Head(flags, message.method.encode("ascii"), target, headers, length, expects)


NO_LENGTH = 2**64 - 1  # the parser's own sign for "no length known"; it takes such a request for one without a body


def _options(value: bytes) -> frozenset[bytes]:
    """Names of fields that a Connection field declares to be about the connection."""
    return frozenset(option.strip(b" \t").lower() for option in value.split(b",")) - END_TO_END
