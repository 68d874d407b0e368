"""A real server on a real uvloop loop, and a client that writes raw bytes and reads what comes back."""

from __future__ import annotations

import asyncio
import functools
import inspect
import json
import logging
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Any, cast

import uvloop

from supervisor.ingress.listeners import Listeners
from supervisor.ingress.options import IngressOptions
from supervisor.spec.listen import ListenAddress, parse_listen
from tests.fakes.backend import Answer, FakeBackend, hello

PATIENCE = 60.0  # seconds until a test is given up: a hang is a failure, not a wait

GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"


def on_uvloop[**P](test: Callable[P, Coroutine[Any, Any, None]]) -> Callable[P, None]:
    """Runs a coroutine test on a fresh uvloop loop; errors that the loop or the server only logged fail it."""

    @functools.wraps(test)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        async def main() -> None:
            complaints: list[str] = []
            loop = asyncio.get_running_loop()
            loop.set_exception_handler(lambda _, context: complaints.append(str(context)))
            with _Complaints(complaints):
                async with asyncio.timeout(PATIENCE):
                    await test(*args, **kwargs)
            assert not complaints, complaints

        uvloop.run(main())

    # pytest must take its arguments from the coroutine function, and not take that for the test
    run.__signature__ = inspect.signature(test)  # type: ignore[attr-defined]
    del run.__wrapped__
    return run


class _Complaints(logging.Handler):
    """Takes down what is logged as a warning or worse."""

    def __init__(self, complaints: list[str]) -> None:
        super().__init__(logging.WARNING)
        self._complaints = complaints

    def emit(self, record: logging.LogRecord) -> None:
        self._complaints.append(self.format(record))

    def __enter__(self) -> None:
        logging.getLogger().addHandler(self)

    def __exit__(self, *_: object) -> None:
        logging.getLogger().removeHandler(self)


@contextmanager
def logged(name: str) -> Iterator[list[str]]:
    """Keeps the warnings and errors of a logger to itself, for a test that provokes them."""
    lines: list[str] = []
    logger = logging.getLogger(name)
    handler = _Complaints(lines)
    logger.addHandler(handler)
    logger.propagate = False
    try:
        yield lines
    finally:
        logger.propagate = True
        logger.removeHandler(handler)


@dataclass(frozen=True, slots=True)
class Response:
    """What a client read."""

    status: int
    head: bytes
    body: bytes

    def header(self, name: bytes) -> bytes | None:
        for line in self.head.split(b"\r\n")[1:]:
            each, _, value = line.partition(b":")
            if each.lower() == name.lower():
                return value.strip()
        return None

    @property
    def problem(self) -> dict[str, Any]:
        assert self.header(b"content-type") == b"application/problem+json"
        document = json.loads(self.body)
        assert document["status"] == self.status
        assert isinstance(document, dict)
        return document


class Client:
    """One connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    def send(self, data: bytes) -> None:
        self.writer.write(data)

    async def ask(self, data: bytes = GET, *, head_only: bool = False) -> Response:
        self.send(data)
        return await self.response(head_only=head_only)

    async def response(self, *, head_only: bool = False) -> Response:
        """The next response, framed as HTTP says."""
        head = await self.reader.readuntil(b"\r\n\r\n")
        response = Response(int(head.split(b" ", 2)[1]), head[:-4], b"")
        if head_only or response.status < 200 or response.status in (204, 304):
            return response
        return Response(response.status, response.head, await self._body(response))

    async def _body(self, response: Response) -> bytes:
        if response.header(b"transfer-encoding") == b"chunked":
            pieces = []
            while size := int(await self.reader.readuntil(b"\r\n"), 16):
                pieces.append((await self.reader.readexactly(size + 2))[:-2])
            assert await self.reader.readexactly(2) == b"\r\n"
            return b"".join(pieces)
        length = response.header(b"content-length")
        return await (self.reader.read() if length is None else self.reader.readexactly(int(length)))

    async def closed(self) -> bytes:
        """Everything until the server ends the connection, in whatever way."""
        received = b""
        try:
            while data := await self.reader.read(65536):
                received += data
        except ConnectionError:
            pass
        return received

    def pause_reading(self) -> None:
        """Takes nothing more of what the server sends."""
        cast(asyncio.Transport, self.writer.transport).pause_reading()

    def resume_reading(self) -> None:
        """Takes again what the server sends."""
        cast(asyncio.Transport, self.writer.transport).resume_reading()

    def leave(self) -> None:
        """Goes away without a word."""
        self.writer.transport.abort()


class Server:
    """Listeners with one fake task behind one port."""

    def __init__(self, listeners: Listeners, backend: FakeBackend, address: ListenAddress) -> None:
        self.listeners = listeners
        self.backend = backend
        self.address = address
        self._clients: list[Client] = []

    async def client(self) -> Client:
        reader, writer = await asyncio.open_connection(self.address.host, self.address.port, limit=2**26)
        self._clients.append(Client(reader, writer))
        return self._clients[-1]

    async def once(self, data: bytes) -> Response:
        """The first response on a connection of its own."""
        client = await self.client()
        try:
            return await client.ask(data)
        finally:
            client.leave()

    @property
    def connections(self) -> int:
        return self.listeners.connections()[self.address]

    async def wait_connections(self, count: int) -> None:
        while self.connections != count:  # the server has no event for tests
            await asyncio.sleep(0.002)

    def leave_all(self) -> None:
        for client in self._clients:
            client.leave()


@asynccontextmanager
async def serving(answer: Answer = hello, **options: Any) -> AsyncIterator[Server]:
    """A server on a free port; at the end nothing may be left and the contract must have been kept.

    However late a client gets to read the answer to its error, it is not hung up on before, unless a test says so.
    """
    backend = FakeBackend(answer)
    async with Listeners(IngressOptions(**{"linger": PATIENCE} | options)) as listeners:
        (address,) = await listeners.open(backend, [parse_listen("127.0.0.1:0")])
        server = Server(listeners, backend, address)
        try:
            yield server
        finally:
            server.leave_all()
    assert not backend.violations, backend.violations
