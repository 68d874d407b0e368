"""A JavaScript file in an isolate of its own, and the answers that it gives."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from supervisor.engine.engine import Engine
from supervisor.engine.isolate import Isolate
from supervisor.spec.exits import Exit
from supervisor.spec.task import TaskSpec

JS = Path(__file__).parent / "js"
PATIENCE_S = 30  # for one answer; a slow machine under load needs some


class Listener:
    """Turns what an isolate says into things to wait for."""

    def __init__(self) -> None:
        self.warm = asyncio.Event()
        self.ready = asyncio.Event()
        self.end: Exit | None = None
        self.log: list[str] = []

    def on_warm(self, microseconds: int) -> None:
        self.warm.set()

    def on_ready(self, microseconds: int, *, has_handler: bool) -> None:
        self.ready.set()

    def on_log(self, level: int, text: bytes) -> None:
        self.log.append(text.decode())

    def on_failed(self, number: int, exchange: Any, message: bytes) -> None:
        exchange.failure = message.decode()
        exchange.done.set()

    def on_exit(self, end: Exit) -> None:
        self.end = end
        self.ready.set()


class Answer:
    """The answer to one request, put together from its parts."""

    def __init__(self, isolate: Isolate, number: int) -> None:
        self._isolate, self.number = isolate, number
        self.wire = bytearray()
        self.failure: str | None = None
        self.done = asyncio.Event()

    def response(self, wire: bytes, close: bool) -> None:
        self.wire += wire
        self.done.set()

    def response_head(self, wire: bytes, close: bool) -> None:
        self.wire += wire

    def response_body(self, wire: bytes, cost: int) -> None:
        self.wire += wire
        self._isolate.credit(self.number, cost)

    def response_end(self, wire: bytes) -> None:
        self.wire += wire
        self.done.set()

    def body_credit(self, size: int) -> None:
        pass

    def body_cancel(self) -> None:
        pass

    def parsed(self) -> tuple[int, dict[str, str], bytes]:
        """Returns status, headers (names in lower case) and body without its framing."""
        head, _, body = bytes(self.wire).partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
        chunked = headers.get("transfer-encoding") == "chunked"
        return int(first.split()[1]), headers, _unchunked(body) if chunked else body


def _unchunked(body: bytes) -> bytes:
    parts = []
    while body:
        size, _, body = body.partition(b"\r\n")
        parts.append(body[: int(size, 16)])
        body = body[int(size, 16) + 2 :]
    return b"".join(parts)


class Task:
    """A JavaScript file in an isolate of its own."""

    numbers = 0  # exchanges have numbers that are unique in the process

    def __init__(self, isolate: Isolate, listener: Listener) -> None:
        self.isolate, self.listener = isolate, listener

    @classmethod
    async def start(cls, engine: Engine, name: str, listener: Listener | None = None) -> Task:
        listener = listener or Listener()
        isolate = engine.create(listener)
        await asyncio.wait_for(listener.warm.wait(), PATIENCE_S)
        settings = {"taskId": name, "mainPath": name, "pwd": str(JS), "env": {"A": "b"}, "listen": ["127.0.0.1:0"]}
        limits = {"cpu": {"request": None, "startup": None}}  # a test file's checks run in one request
        isolate.boot(TaskSpec.model_validate(settings | {"limits": limits}))
        await asyncio.wait_for(listener.ready.wait(), PATIENCE_S)
        if listener.end is not None:
            raise RuntimeError(f"{name} did not boot: {listener.end}")
        return cls(isolate, listener)

    def send(self, path: str, method: str, headers: dict[str, str], body: bytes, flags: int) -> Answer:
        Task.numbers += 1
        answer = Answer(self.isolate, Task.numbers)
        flat = "".join(f"{name}\n{value}\n" for name, value in {"Host": "localhost", **headers}.items())
        self.isolate.request(answer.number, answer, flags, method.encode(), path.encode(), flat.encode("latin-1"), body)
        return answer

    async def get(self, path: str) -> Answer:
        answer = self.send(path, "GET", {}, b"", 0)
        await asyncio.wait_for(answer.done.wait(), PATIENCE_S)
        return answer
