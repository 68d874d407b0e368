"""A client of the control API: raw enough to ask what no library would send."""

from __future__ import annotations

import asyncio
import functools
import inspect
import json
import ssl
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import uvloop

PATIENCE = 60.0  # seconds until a test is given up: a hang is a failure, not a wait
TASK: dict[str, Any] = {"taskId": "shop", "mainPath": "./app.js", "listen": ["127.0.0.1:3000"]}


def on_uvloop[**P](test: Callable[P, Coroutine[Any, Any, None]]) -> Callable[P, None]:
    """Runs a coroutine test on a fresh uvloop loop; errors that the loop only tells its handler of fail it."""

    @functools.wraps(test)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        async def main() -> None:
            complaints: list[str] = []
            asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(str(context)))
            async with asyncio.timeout(PATIENCE):
                await test(*args, **kwargs)
            assert not complaints, complaints

        uvloop.run(main())

    run.__signature__ = inspect.signature(test)  # type: ignore[attr-defined]
    del run.__wrapped__
    return run


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def kind(self) -> str:
        """Of a problem, whose form is checked."""
        assert self.headers["content-type"].partition(";")[0] == "application/problem+json", self
        document = self.json
        assert document["status"] == self.status
        assert document["type"] == "about:blank"
        assert document["detail"]
        return str(document["kind"])


@asynccontextmanager
async def connection(
    where: Path | int, context: ssl.SSLContext | None = None
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """To a Unix socket, or a port of this machine."""
    if isinstance(where, Path):
        reader, writer = await asyncio.open_unix_connection(where)
    else:
        name = None if context is None else "localhost"
        reader, writer = await asyncio.open_connection("127.0.0.1", where, ssl=context, server_hostname=name)
    try:
        yield reader, writer
    finally:
        writer.close()


async def head_of(reader: asyncio.StreamReader) -> tuple[int, dict[str, str]]:
    """Status and header fields of the next answer."""
    lines = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
    fields = dict(line.split(": ", 1) for line in lines[1:] if line)
    return int(lines[0].split(" ")[1]), {name.lower(): value for name, value in fields.items()}


async def raw(
    where: Path | int, data: bytes, context: ssl.SSLContext | None = None, *, head_only: bool = False
) -> Reply:
    """The answer to bytes."""
    async with connection(where, context) as (reader, writer):
        writer.write(data)
        status, headers = await head_of(reader)
        length = 0 if head_only or status == 204 else int(headers["content-length"])
        return Reply(status, headers, await reader.readexactly(length))


async def ask(
    where: Path | int,
    method: str,
    target: str,
    body: object = None,
    *,
    context: ssl.SSLContext | None = None,
    headers: Mapping[str, str] | None = None,
) -> Reply:
    """The answer to a request; `body` is bytes as they are, or something for JSON."""
    fields = {"Host": "localhost"}
    data = b""
    if body is not None:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        fields |= {"Content-Type": "application/json", "Content-Length": str(len(data))}
    fields |= headers or {}
    head = f"{method} {target} HTTP/1.1\r\n" + "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    return await raw(where, head.encode() + b"\r\n" + data, context, head_only=method == "HEAD")
