"""Requests to other hosts: one session, connections that are used again, bounded answers, Silent for all that fails."""

from __future__ import annotations

import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

import aiohttp
from yarl import URL

from supervisor.cluster.peers.psk import KeyRing
from supervisor.cluster.ports import Silent
from supervisor.cluster.values import Member
from supervisor.printable import printable

JSON = "application/json"
CONNECT_S = 2.0  # a host that is up accepts within milliseconds; so there is time for another one
IDLE_S = 30.0  # below the door's own 75 s: a connection is given up by who calls, not while a request is on its way
ANSWER_MAX = 16 * 1024 * 1024  # bytes; a record, or the versions of 100,000 tasks
WORDS_MAX = 300  # characters of what a host says about itself in an error


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer, whatever it says."""

    status: int
    media: str
    body: bytes

    @property
    def went_well(self) -> bool:
        """Whether the host did what it was asked."""
        return self.status < 300

    def document(self) -> Any:
        """The JSON value of the body. ValueError."""
        try:
            return json.loads(self.body)
        except RecursionError as error:
            raise ValueError("nested too deep") from error

    @property
    def problem(self) -> str:
        """Why it did not go well, for people: the host's words, on one line."""
        try:
            detail = self.document()["detail"]
        except ValueError, KeyError, TypeError:
            detail = f"status {self.status}"
        return printable(str(detail))[:WORDS_MAX]


class Wire:
    """Async context: the way to the peer doors of other hosts. Loop thread; entered once.

    Every request to a host that is not reached, does not speak the cluster's key, or does not answer in time raises
    Silent. GET, HEAD, PUT and DELETE are sent again if a connection that was kept had been closed meanwhile.
    """

    def __init__(self, ring: KeyRing) -> None:
        self._ring = ring

    async def __aenter__(self) -> Self:
        # without a limit: a call that waits for a long one to end would take its host for silent
        connector = aiohttp.TCPConnector(ssl=self._ring.client_context(), limit=0, keepalive_timeout=IDLE_S)
        self._session = aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            headers={"Accept-Encoding": "identity"},
            auto_decompress=False,
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._session.close()

    async def ask(
        self, to: Member, method: str, path: str, document: object = None, *, within_s: float, limit: int = ANSWER_MAX
    ) -> Reply:
        """The whole answer, at most `limit` bytes. `path` with its query, as it goes over the wire.

        `document`: the body, as JSON; None: there is none. Raises Silent, and ValueError for what JSON cannot say.
        """
        body = None if document is None else json.dumps(document, separators=(",", ":"), allow_nan=False).encode()
        return await self.pass_on(to, method, path, body, within_s=within_s, limit=limit)

    async def pass_on(
        self, to: Member, method: str, path: str, body: bytes | None, *, within_s: float, limit: int = ANSWER_MAX
    ) -> Reply:
        """The same with a body that is JSON already: a request of the control API for another host. Silent."""
        times = aiohttp.ClientTimeout(total=within_s, sock_connect=CONNECT_S)
        async with await self._open(to, method, path, body, times) as response:
            data = bytearray()
            async for chunk in _chunks(to, response):
                data += chunk
                if len(data) > limit:
                    raise Silent(f"{to.id} answers with more than {limit} bytes")
            return Reply(response.status, response.content_type, bytes(data))

    @asynccontextmanager
    async def follow(
        self, to: Member, path: str, *, quiet_s: float | None
    ) -> AsyncIterator[tuple[Reply, AsyncIterator[bytes]]]:
        """An answer that comes bit by bit: its head, and the bytes as they come; leaving the context ends it.

        `quiet_s`: how long nothing may come, None: for ever. The iterator raises Silent if the answer breaks off.
        """
        times = aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_S, sock_read=quiet_s)
        async with await self._open(to, "GET", path, None, times) as response:
            yield Reply(response.status, response.content_type, b""), _chunks(to, response)

    async def _open(
        self, to: Member, method: str, path: str, body: bytes | None, times: aiohttp.ClientTimeout
    ) -> aiohttp.ClientResponse:
        """The answer's head has come."""
        headers = {} if body is None else {"Content-Type": JSON}
        try:
            url = URL(f"https://{to.api}{path}", encoded=True)
            return await self._session.request(
                method, url, data=body, headers=headers, timeout=times, allow_redirects=False
            )
        except (aiohttp.ClientError, OSError, ValueError) as error:  # ValueError: the address is none
            raise _silent(to, error) from error


async def _chunks(to: Member, response: aiohttp.ClientResponse) -> AsyncIterator[bytes]:
    try:
        async for chunk in response.content.iter_any():
            yield chunk
    except (aiohttp.ClientError, OSError) as error:
        raise _silent(to, error) from error


def _silent(to: Member, error: BaseException) -> Silent:
    return Silent(printable(f"{to.id} at {to.api} {_in_words(error)}")[:WORDS_MAX])


def _in_words(error: BaseException) -> str:
    """What became of a request."""
    if isinstance(error, TimeoutError):
        return "does not answer in time"
    if isinstance(error, aiohttp.ClientSSLError):
        return "does not speak TLS with a key of this cluster"
    if isinstance(error, OSError):
        # getaddrinfo's own errors have negative numbers that strerror does not know
        why = os.strerror(error.errno) if error.errno and error.errno > 0 else error.strerror
        what = "cannot be reached" if isinstance(error, aiohttp.ClientConnectorError) else "breaks off"
        return f"{what} ({why.lower()})" if why else f"{what}: it closes the connection"
    if isinstance(error, ValueError):
        return "has no address that can be called"
    return f"breaks off ({(str(error) or type(error).__name__).lower()})"
