"""A small client of HTTP/1.1 that keeps its connection, and tells every kind of wrong answer."""

from __future__ import annotations

import asyncio

HOST = "127.0.0.1"
ANSWER_S = 30.0


class WrongAnswer(Exception):
    """Not the answer that was asked for, or none."""


class NoAnswer(WrongAnswer):
    """None within the time given, or no end of it."""


class Client:
    """One connection to one port, made anew when it is over. Raises WrongAnswer only."""

    def __init__(self, port: int, seconds: float = ANSWER_S) -> None:
        self._port = port
        self._seconds = seconds
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def ask(self, body: bytes | None = None, *, path: str = "/", close: bool = False) -> tuple[int, bytes]:
        """GET, or POST of `body`. Returns the status and the whole body."""
        fields = "Host: soak\r\n" + ("Connection: close\r\n" if close else "")
        head = f"GET {path} HTTP/1.1\r\n{fields}\r\n"
        if body is not None:
            head = f"POST {path} HTTP/1.1\r\n{fields}Content-Length: {len(body)}\r\n\r\n"
        try:
            async with asyncio.timeout(self._seconds):
                return await self._exchange(head.encode() + (body or b""))
        except (OSError, EOFError, ValueError, asyncio.LimitOverrunError) as error:  # TimeoutError is an OSError
            self.close()
            kind = NoAnswer if isinstance(error, TimeoutError) else WrongAnswer
            raise kind(f"{error!r} on port {self._port}") from error

    def close(self) -> None:
        """Gives the connection up."""
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None

    async def _exchange(self, request: bytes) -> tuple[int, bytes]:
        if self._streams is None:
            self._streams = await asyncio.open_connection(HOST, self._port)
        reader, writer = self._streams
        writer.write(request)
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        status, fields = parse_head(head)
        if "content-length" in fields:
            body = await reader.readexactly(int(fields["content-length"]))
        else:
            body = await self._chunks(reader)
        if fields.get("connection") == "close":
            self.close()
        return status, body

    async def _chunks(self, reader: asyncio.StreamReader) -> bytes:
        body = b""
        while size := int(await reader.readuntil(b"\r\n"), 16):
            body += await reader.readexactly(size)
            await reader.readexactly(2)
        await reader.readexactly(2)
        return body


def parse_head(head: str) -> tuple[int, dict[str, str]]:
    """Returns the status and the fields by their names in small letters. ValueError."""
    first, *lines = head.removesuffix("\r\n\r\n").split("\r\n")
    fields = {name.lower(): value.strip().lower() for name, _, value in (line.partition(":") for line in lines)}
    _version, status, *_reason = [*first.split(" ", 2), ""]
    return int(status), fields
