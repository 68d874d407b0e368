"""JavaScript programs in real isolates, as tests meet them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from itertools import count
from pathlib import Path
from typing import Any

from supervisor.engine.engine import Engine
from supervisor.engine.isolate import End, Isolate
from supervisor.spec.exits import Exit
from supervisor.spec.task import TaskSpec
from tests.fakes.exchange import FakeExchange
from tests.fakes.listener import FakeListener

PATIENCE_S = 100  # for one step of a program; a slow machine under load needs some
WHILE_S = 0.05  # of CPU time: more than a step of the runtime's own ever takes, however busy the machine is

_numbers = count(1)  # of exchanges, unique in the process

Answered = tuple[int, dict[str, str], bytes]
Files = Mapping[str, str | bytes]


class Program:
    """One isolate and what it said."""

    def __init__(self, isolate: Isolate, heard: FakeListener) -> None:
        self.isolate = isolate
        self.heard = heard
        self.exchanges: list[FakeExchange] = []

    def ask(
        self,
        target: str = "/",
        *,
        method: str = "GET",
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
        flags: int = 0,
    ) -> tuple[int, FakeExchange]:
        """Hands a request over; returns its number and what becomes of it."""
        number, exchange = next(_numbers), FakeExchange()
        fields = {"Host": "localhost", **(headers or {})}
        flat = "".join(f"{name}\n{value}\n" for name, value in fields.items()).encode("latin-1")
        assert self.isolate.request(number, exchange, flags, method.encode(), target.encode(), flat, body)
        self.exchanges.append(exchange)
        return number, exchange

    async def get(self, target: str = "/", **options: Any) -> Answered:
        """Status, headers and body of a whole answer; credit is given back as it comes."""
        number, exchange = self.ask(target, **options)
        await self.read(number, exchange)
        return exchange.parsed()

    async def text(self, target: str = "/", **options: Any) -> str:
        """The body of an answer of status 200."""
        status, _, body = await self.get(target, **options)
        assert status == 200, body
        return body.decode()

    async def read(self, number: int, exchange: FakeExchange) -> None:
        """Returns at the answer's end, giving credit back."""
        given = 0
        async with asyncio.timeout(PATIENCE_S):
            while not exchange.over.is_set():
                await exchange.wait_more(given)
                self.isolate.credit(number, exchange.cost - given)
                given = exchange.cost

    async def until(self, condition: Callable[[FakeListener], bool]) -> None:
        """Returns once what was heard satisfies `condition`."""
        async with asyncio.timeout(PATIENCE_S):
            await self.heard.wait_until(lambda heard: condition(heard) or heard.end is not None)
        assert condition(self.heard), self.heard.end

    async def logged(self, text: str) -> None:
        """Returns once there is a console line with `text` in it."""
        await self.until(lambda heard: any(text in line for line in heard.lines))

    async def spinning(self) -> None:
        """Returns once it has worked in the same piece of JavaScript for a while; one that waits for a core has not."""
        async with asyncio.timeout(PATIENCE_S):
            since, began_s = None, 0.0
            while True:
                figures = self.isolate.statistics()
                assert figures is not None, self.heard.end
                if figures.busy_since_s is None or figures.busy_since_s != since:
                    since, began_s = figures.busy_since_s, figures.cpu_s
                elif figures.cpu_s - began_s >= WHILE_S:
                    return
                await asyncio.sleep(0.005)

    async def failure(self, target: str = "/", **options: Any) -> str:
        """Asks for what cannot be answered; returns the message for the log."""
        number, _ = self.ask(target, **options)
        await self.until(lambda heard: number in heard.failed)
        return self.heard.failed[number]

    async def ended(self) -> Exit:
        """Returns its exit when it is over."""
        async with asyncio.timeout(PATIENCE_S):
            await self.heard.wait_until(lambda heard: heard.end is not None)
        assert self.heard.end is not None
        return self.heard.end

    async def end(self, reason: End = End.KILLED) -> Exit:
        """Asks it to end; returns how it did."""
        self.isolate.end(reason)
        return await self.ended()


class Programs:
    """Makes them, each from files of its own in a folder of its own."""

    def __init__(self, engine: Engine, folder: Path) -> None:
        self.engine = engine
        self.folder = folder
        self.made: list[Program] = []

    def warm(self) -> Program:
        """An isolate without a program."""
        heard = FakeListener()
        self.made.append(Program(self.engine.create(heard), heard))
        return self.made[-1]

    def write(self, files: Files) -> Path:
        """Writes files into a new folder."""
        folder = self.folder / str(len(self.made))
        for name, content in files.items():
            file = folder / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content if isinstance(content, bytes) else content.encode())
        return folder

    def begin(self, source: str | Files, *, main: str = "", pwd: Path | None = None, **settings: Any) -> Program:
        """Boots a program: a main module, or files of which the first is the main module."""
        files: Files = {"main.js": source} if isinstance(source, str) else source
        folder = self.write(files)
        defaults = {"taskId": "test", "mainPath": main or next(iter(files)), "pwd": str(pwd or folder)}
        # Without limits of CPU time, unless a test is about them: these programs work hard.
        limits = {"cpu": {"request": None, "startup": None}} | settings.pop("limits", {})
        program = self.warm()
        program.isolate.boot(TaskSpec.model_validate(defaults | settings | {"limits": limits}))
        return program

    async def boot(self, source: str | Files, **options: Any) -> Program:
        """Boots a program and returns when it is ready."""
        program = self.begin(source, **options)
        await program.until(lambda heard: heard.ready_us is not None)
        return program

    async def handler(self, body: str, *, before: str = "", **options: Any) -> Program:
        """Boots `before` and a fetch handler with `body`, which sees request, env and ctx."""
        text = f"{before}\nexport default {{ async fetch(request, env, ctx) {{ {body} }} }};\n"
        return await self.boot({"main.mjs": text}, **options)

    async def exit(self, source: str | Files, **options: Any) -> Exit:
        """Boots a program that ends by itself; returns its exit."""
        return await self.begin(source, **options).ended()

    async def end_all(self) -> None:
        """Ends what still runs; nothing that was heard may have broken the engine's promises."""
        for program in self.made:
            program.isolate.end(End.KILLED)
        for program in self.made:
            await program.ended()
            violations = program.heard.violations + [each for it in program.exchanges for each in it.violations]
            assert not violations, violations
