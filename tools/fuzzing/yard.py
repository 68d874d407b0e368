"""In the child: lets programs loose on a real engine and pool, beside a neighbour, and notes what comes of it."""

from __future__ import annotations

import asyncio
import shutil
import time
from collections.abc import Callable
from itertools import count
from pathlib import Path

from supervisor.errors import IsolatedError
from supervisor.pool.blocked import Block
from supervisor.pool.exchange import FLAG_STREAM, RequestRefused
from supervisor.pool.pool import Pool
from supervisor.pool.slot import Slot
from supervisor.pool.states import TaskState
from supervisor.spec.exits import Exit, ExitReason
from supervisor.spec.task import TaskSpec
from tools.fuzzing.checked import CheckedEngine
from tools.fuzzing.client import Client
from tools.fuzzing.ended import Ended, Kind, Wrong
from tools.fuzzing.limits import GRACE_S, LIFE_S, LIMITS, SILENCE_S, WALL_S
from tools.fuzzing.posting import Bare, write_files
from tools.fuzzing.program import Program, Way

ECHO = "export default { fetch: (request) => new Response(request.url.slice(-9)) }"
PING_EVERY_S = 0.02
HEADERS = b"Host\na\n"
FORM = b"Host\na\nContent-Type\napplication/x-www-form-urlencoded\n"


class Ends:
    """Implements SlotObserver: remembers the end of each task."""

    def __init__(self) -> None:
        self.ends: dict[str, asyncio.Future[Exit]] = {}
        self.blocks: dict[str, Block] = {}
        self.release: Callable[[str], object] = lambda _: None

    def of(self, task_id: str) -> asyncio.Future[Exit]:
        """Is done when the task's isolate is over."""
        return self.ends.setdefault(task_id, asyncio.get_running_loop().create_future())

    def on_state(self, slot: Slot, before: TaskState, after: TaskState, why: str) -> None:
        pass

    def on_ready(self, slot: Slot, milliseconds: float) -> None:
        pass

    def on_console(self, slot: Slot, level: int, text: bytes) -> None:
        pass

    def on_handler_error(self, slot: Slot, message: str, request: str | None) -> None:
        pass

    def on_late(self, slot: Slot, count: int, requests: tuple[str, ...]) -> None:
        """Its client hears that, too."""

    def on_blocked(self, slot: Slot, block: Block) -> None:
        self.blocks[slot.task_id] = block
        self.release(block.sources)  # every program has its own; the list would only slow down boots

    def on_released(self, block: Block) -> None:
        pass

    def on_end(self, slot: Slot, end: Exit) -> None:
        over = self.of(slot.task_id)
        if not over.done():
            over.set_result(end)


class Yard:
    """One per process. Everything on the loop's thread."""

    def __init__(self, engine: CheckedEngine, folder: Path) -> None:
        self._engine = engine
        self._folder = folder
        self._ends = Ends()
        self._pool = Pool(engine.create, self._ends, asyncio.get_running_loop(), warm=1)
        self._ends.release = self._pool.release
        self._numbers = count(1)
        self._faults = 0
        self._neighbour_wrong: list[str] = []

    async def open(self) -> None:
        """Starts the neighbour, which is asked all along."""
        slot = self._slot(Program("neighbour", Way.HANDLER, "main.mjs", {"main.mjs": ECHO.encode()}), {})
        await slot.start()
        self._pinging = asyncio.create_task(self._ping(slot))

    async def _ping(self, slot: Slot) -> None:
        for number in count():
            if wrong := await self._asked(slot, number):
                self._neighbour_wrong.append(f"the neighbour {wrong}")
            await asyncio.sleep(PING_EVERY_S)

    async def _asked(self, slot: Slot, number: int) -> str:
        """Asks an echo; returns what was wrong."""
        client, token = Client(), f"{number % 10**9:09}".encode()
        try:
            client.ask(slot, b"GET", b"/" + token, HEADERS, b"")
            async with asyncio.timeout(SILENCE_S):
                await client.over.wait()
        except TimeoutError:
            return f"did not answer within {SILENCE_S:g} s"
        except RequestRefused as refused:
            return f"refused: {refused}"
        if client.wire.endswith(b"\r\n\r\n" + token):
            return ""
        return f"answered {client.wire[-100:]!r} ({client.failure}) to {token!r}"

    async def look(self) -> list[Wrong]:
        """After a batch: a fresh isolate answers, the neighbour did all along, and records were in order."""
        slot = self._slot(Program("fresh", Way.HANDLER, "main.mjs", {"main.mjs": ECHO.encode()}), {})
        try:
            async with asyncio.timeout(SILENCE_S):
                await slot.start()
                wrong = await self._asked(slot, 1)
        except (TimeoutError, IsolatedError) as error:
            wrong = f"did not start: {error!r}"
        await slot.stop(0.0)
        self._forget(slot)
        if wrong:
            self._neighbour_wrong.append(f"a fresh isolate {wrong}")
        faults, self._faults = self._engine.faults() - self._faults, self._engine.faults()
        neighbour, self._neighbour_wrong = self._neighbour_wrong, []
        return [
            *(Wrong(Kind.NEIGHBOUR, text) for text in neighbour),
            *(Wrong(Kind.WRONG, text) for text in self._engine.take_wrong()),
            *([Wrong(Kind.FAULT, f"{faults} threads accessed memory that is not theirs")] if faults else []),
        ]

    def _slot(self, program: Program, limits: object, *, listens: bool = True) -> Slot:
        return self._pool.add(self._spec(program, limits, listens=listens))

    def _spec(self, program: Program, limits: object, *, listens: bool) -> TaskSpec:
        folder = self._folder / f"{program.name[:60]}-{next(self._numbers)}"
        folder.mkdir()
        write_files(program, folder)
        return TaskSpec.model_validate(
            {
                "taskId": folder.name,
                "pwd": str(folder),
                "mainPath": program.main,
                "listen": ["127.0.0.1:0"] if listens else [],
                "limits": limits,
                "env": {"A": "b"},
                "allow": {"eval": program.may_eval, "wasm": program.may_wasm},
            }
        )

    def _forget(self, slot: Slot) -> None:
        shutil.rmtree(slot.spec.pwd, ignore_errors=True)
        self._pool.slots.pop(slot.task_id, None)
        self._ends.ends.pop(slot.task_id, None)

    async def run(self, program: Program) -> Ended:
        """Lets one program loose; returns when it is over, or should be."""
        ended, began = Ended(program.name), time.monotonic()
        try:
            await (self._run_posts if program.way is Way.MESSAGES else self._run_task)(program, ended)
        except Exception as error:  # noqa: BLE001 - whatever it is, the host should not have raised it
            ended.wrong.append(Wrong(Kind.WRONG, f"{type(error).__name__}: {error}", program.name))
        ended.seconds = round(time.monotonic() - began, 3)
        return ended

    async def _run_posts(self, program: Program, ended: Ended) -> None:
        spec = self._spec(program, LIMITS, listens=True)
        bare = Bare(self._engine, spec)
        await bare.post_all(program)
        await asyncio.wait([bare.over], timeout=LIFE_S)
        bare.kill()
        await self._over(bare.over, ended)
        ended.wrong += [Wrong(Kind.WRONG, fault, program.name) for fault in bare.faults()]
        shutil.rmtree(spec.pwd, ignore_errors=True)

    async def _run_task(self, program: Program, ended: Ended) -> None:
        listens = program.way is Way.HANDLER
        slot = self._slot(program, LIMITS, listens=listens)
        over = self._ends.of(slot.task_id)
        try:
            async with asyncio.timeout(WALL_S + GRACE_S):
                await slot.start()
            if listens:
                await self._serve(slot, ended)
            else:
                await asyncio.wait([over], timeout=LIFE_S)
        except TimeoutError:
            ended.wrong.append(Wrong(Kind.LATE, "its boot neither ended nor was it stopped", program.name))
        except IsolatedError as error:
            self._note_boot(str(error), ended)
        if slot.isolate_state is not None:
            slot.kill()
            await self._over(over, ended)
        elif over.done():
            self._note(over.result(), ended)
        if block := self._ends.blocks.pop(slot.task_id, None):
            ended.parked, ended.reason = True, f"{block.reason} (parked)"
        self._forget(slot)

    async def _serve(self, slot: Slot, ended: Ended) -> None:
        clients = [Client() for _ in range(3)]
        try:
            clients[0].ask(slot, b"GET", b"/a?b=c", HEADERS, b"")
            clients[1].ask(slot, b"POST", b"/", FORM, b"a=b&c=d" * 100)
            clients[2].ask(slot, b"POST", b"/", HEADERS, b"", FLAG_STREAM)
            for _ in range(3):
                slot.body(clients[2].number, b"x" * 20_000)
            slot.body_end(clients[2].number)
        except RequestRefused as refused:
            ended.reason = refused.failure.reason
        asked = [client for client in clients if client.number]
        waits = [asyncio.ensure_future(client.over.wait()) for client in asked]
        if waits:
            await asyncio.wait(waits, timeout=WALL_S + GRACE_S)
        for wait, client in zip(waits, asked, strict=True):
            wait.cancel()
            ended.wrong += [Wrong(Kind.WRONG, fault, ended.program) for fault in client.faults()]
            if not client.began:
                ended.wrong.append(Wrong(Kind.LATE, "a request got neither an answer nor a 503", ended.program))
            if not client.over.is_set():
                slot.abort(client.number)
        if not ended.reason and asked and asked[0].began:
            ended.reason = asked[0].failure.reason if asked[0].failure is not None else "answered"

    async def _over(self, over: asyncio.Future[Exit], ended: Ended) -> None:
        await asyncio.wait([over], timeout=GRACE_S)
        if over.done():
            self._note(over.result(), ended)
        else:
            ended.wrong.append(Wrong(Kind.LATE, "did not end when it was told to", ended.program))

    def _note(self, end: Exit, ended: Ended) -> None:
        ended.parked = end.parked
        if end.reason is ExitReason.KILLED and ended.reason:
            return  # it answered, and went on until it was told to end
        ended.reason = end.reason.value
        if end.reason is ExitReason.ABORTED and not end.parked:
            ended.wrong.append(Wrong(Kind.WRONG, f"ended without being parked: {end.describe()[:300]}", ended.program))
        if end.parked:
            ended.reason += " (parked)"
        ended.syntax_error = "SyntaxError" in end.describe()

    def _note_boot(self, message: str, ended: Ended) -> None:
        """A boot that failed is told to whoever started it, and nobody else."""
        known = (reason.value for reason in ExitReason if f"did not start: {reason.value}:" in message)
        ended.reason = next(known, ExitReason.UNCAUGHT.value)
        ended.syntax_error = "SyntaxError" in message
