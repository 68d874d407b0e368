"""Runs hostile scripts in this process, beside a neighbour, and prints what became of each as a line of JSON.

A program of its own: if a script takes the process with it, the lines stop, and whoever started it knows which it was.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
import tempfile
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path

from supervisor.engine.engine import Engine
from supervisor.errors import IsolatedError
from supervisor.pool.blocked import Block
from supervisor.pool.exchange import Failure, RequestRefused
from supervisor.pool.pool import Pool
from supervisor.pool.slot import Slot
from supervisor.pool.states import TaskState
from supervisor.spec.exits import Exit, ExitReason
from supervisor.spec.task import TaskSpec
from tests.hostile.expectations import Outcome

SCRIPTS = Path(__file__).parent / "scripts"
LIMITS = {"cpu": {"request": "50ms", "startup": "200ms", "wall": "2s"}, "mem": {"heap": "16MiB", "external": "16MiB"}}
WALL_S = 2.0
ANSWER_S = 2.0  # after the limit: then whoever has heard something by now need not be waited for
# For an end, or a first word: the watchdog waits up to ten seconds for a thread that others let hardly run.
GRACE_S = 20.0
# Thousands of requests kept open: more of them are answered by 503 when too many wait.
REQUESTS = {"serve-never": 3000, "serve-keep-requests": 500, "serve-wait-until": 500}
BODY_TAKEN = 2**20  # bytes of an endless body that a client takes
PING_EVERY_S = 0.02
PING_PATIENCE_S = 20.0
HELLO = "export default {fetch: () => new Response('hello')}"

_RETURNED = {ExitReason.EXITED, ExitReason.KILLED, ExitReason.DRAINED, ExitReason.IDLE}
_THREW = {ExitReason.UNCAUGHT}


class Waiting:
    """Implements pool.exchange.Exchange: a client that takes some of a body and notes the end."""

    def __init__(self) -> None:
        self.over = asyncio.Event()
        self.wire = b""
        self.failure: Failure | None = None
        self.taken = 0
        self.slot: Slot | None = None
        self.number = 0
        self.request_id: str | None = None

    def response(self, wire: bytes, close: bool) -> None:
        self.wire = wire
        self.over.set()

    def response_head(self, wire: bytes, close: bool) -> None:
        self.wire = wire

    def response_body(self, wire: bytes, cost: int) -> None:
        self.taken += len(wire)
        if self.taken < BODY_TAKEN and self.slot is not None:
            self.slot.credit(self.number, cost)

    def response_end(self, wire: bytes) -> None:
        self.over.set()

    def failed(self, failure: Failure) -> None:
        self.failure = failure
        self.over.set()

    def body_credit(self, size: int) -> None:
        pass

    def body_cancel(self) -> None:
        pass


class Ends:
    """Implements SlotObserver: notes the ends by task."""

    def __init__(self) -> None:
        self.ends: dict[str, list[Exit]] = {}
        self.blocks: dict[str, Block] = {}
        self.changed: dict[str, asyncio.Event] = {}

    def of(self, task_id: str) -> asyncio.Event:
        return self.changed.setdefault(task_id, asyncio.Event())

    def on_state(self, slot: Slot, before: TaskState, after: TaskState, why: str) -> None:
        pass

    def on_ready(self, slot: Slot, milliseconds: float) -> None:
        pass

    def on_console(self, slot: Slot, level: int, text: bytes) -> None:
        pass

    def on_handler_error(self, slot: Slot, message: str, request: str | None) -> None:
        pass

    def on_late(self, slot: Slot, count: int, requests: tuple[str, ...]) -> None:
        """Some were not answered in time; the report tells by their answers."""

    def on_blocked(self, slot: Slot, block: Block) -> None:
        self.blocks[slot.task_id] = block

    def on_released(self, block: Block) -> None:
        pass

    def on_end(self, slot: Slot, end: Exit) -> None:
        self.ends.setdefault(slot.task_id, []).append(end)
        self.of(slot.task_id).set()


@dataclass
class Found:
    """What became of one script, one way."""

    script: str
    way: str
    outcome: str = Outcome.STUCK
    reason: str = ""
    message: str = ""
    seconds: float = 0.0
    peak_mib: float = 0.0  # RSS of the process while it ran, above what it was before
    fresh_ms: float = 0.0  # from making another isolate to its answer, right afterwards
    wrong: list[str] = field(default_factory=list)


def rss_mib() -> float:
    """RSS of this process."""
    with open("/proc/self/statm", "rb") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGESIZE") / 2**20


class Neighbour:
    """A program that answers all along; whoever looks away too long is told."""

    def __init__(self, slot: Slot) -> None:
        self._slot = slot
        self.slowest_s = 0.0
        self.times: list[float] = []
        self.wrong: list[str] = []

    async def run(self) -> None:
        """Asks it again and again, for ever."""
        while True:
            began = time.monotonic()
            try:
                async with asyncio.timeout(PING_PATIENCE_S):
                    answer = await ask(self._slot)
                if not answer.wire.endswith(b"hello"):
                    self.wrong.append(f"the neighbour's request failed: {answer.failure}")
            except TimeoutError:
                self.wrong.append("the neighbour did not answer")
            except RequestRefused as refused:
                self.wrong.append(f"the neighbour refused: {refused}")
            self.times.append(time.monotonic() - began)
            await asyncio.sleep(PING_EVERY_S)

    def take(self) -> list[str]:
        """What went wrong since the last time."""
        wrong, self.wrong = self.wrong, []
        return wrong


async def ask(slot: Slot) -> Waiting:
    """Sends a request and returns when it is over."""
    waiting = send(slot)
    await waiting.over.wait()
    return waiting


def send(slot: Slot) -> Waiting:
    """Sends a request."""
    waiting = Waiting()
    waiting.slot = slot
    waiting.number = slot.request(waiting, 0, b"GET", b"/", b"Host\na\n", b"")
    return waiting


class Yard:
    """One process with its neighbour, in which scripts are let loose."""

    def __init__(self, engine: Engine, folder: Path, grace_s: float, limits: object = None) -> None:
        self._engine = engine
        self._limits = limits or LIMITS
        self._grace_s = grace_s
        self.folder = folder
        self._ends = Ends()
        self._pool = Pool(engine.create, self._ends, asyncio.get_running_loop(), warm=1)
        self._numbers = iter(range(1, 10**9))
        self.neighbour: Neighbour

    async def open(self) -> None:
        """Starts the neighbour."""
        slot = self.slot(HELLO, "neighbour", {"mem": {"heap": "64MiB"}})
        await slot.start()
        self.neighbour = Neighbour(slot)
        self._pinging = asyncio.create_task(self.neighbour.run())
        await asyncio.sleep(0.2)

    async def close(self) -> None:
        """Ends all."""
        self._pinging.cancel()
        self._pool.kill()

    def slot(self, source: str, name: str, limits: object = None, *, listens: bool = True) -> Slot:
        folder = self.folder / f"{name}-{next(self._numbers)}"
        folder.mkdir()
        (folder / "main.js").write_text(source)
        return self._pool.add(
            TaskSpec.model_validate(
                {
                    "taskId": folder.name,
                    "pwd": str(folder),
                    "mainPath": "main.js",
                    "listen": ["127.0.0.1:0"] if listens else [],
                    "limits": limits or self._limits,
                }
            )
        )

    async def run(self, script: Path, way: str) -> Found:
        """Lets one script loose and returns what became of it."""
        found = Found(script.stem, way)
        before = rss_mib()
        watching = asyncio.create_task(self._watch(found, before))
        began = time.monotonic()
        name = script.stem
        try:
            if way == "boot" and not name.startswith("serve-"):
                await self._boot(script, found)
            else:
                await self._serve(script, found)
        except IsolatedError as error:
            found.wrong.append(f"{type(error).__name__}: {error}")
        found.seconds = round(time.monotonic() - began, 3)
        watching.cancel()
        await self._fresh(found)
        return found

    async def _boot(self, script: Path, found: Found) -> None:
        slot = self.slot(script.read_text(), script.stem, listens=False)
        try:
            async with asyncio.timeout(WALL_S + self._grace_s):
                await slot.start()
                await asyncio.wait_for(self._ends.of(slot.task_id).wait(), WALL_S)
        except TimeoutError:
            pass
        except IsolatedError as error:
            found.message = str(error)[:200]
        await self._over(slot, found)

    async def _serve(self, script: Path, found: Found) -> None:
        source = script.read_text()
        if not script.stem.startswith("serve-"):
            source = handler(source)
        slot = self.slot(source, script.stem)
        try:
            async with asyncio.timeout(WALL_S + self._grace_s):
                await slot.start()
        except (TimeoutError, IsolatedError) as error:
            found.message = str(error)[:200]
            await self._over(slot, found)
            return
        waiting = []
        for _ in range(REQUESTS.get(script.stem, 1)):
            try:
                waiting.append(send(slot))
            except RequestRefused as refused:
                found.message = str(refused)
        if not await self._heard(waiting):
            found.wrong.append("no answer and no 503 in time")
        failure = next((each.failure for each in waiting if each.failure is not None), None)
        if failure is not None:
            found.message = failure.reason
        for each in waiting:
            if not each.over.is_set():
                slot.abort(each.number)
        await asyncio.sleep(0.05)
        await self._over(slot, found, failure)

    async def _heard(self, waiting: list[Waiting]) -> bool:
        """Returns when all answers are over, or they take too long; whether there was anything to hear."""
        for patience_s in (WALL_S + ANSWER_S, self._grace_s):
            try:
                async with asyncio.timeout(patience_s):
                    for each in waiting:
                        await each.over.wait()
                return True
            except TimeoutError:
                if any(each.taken or each.wire for each in waiting):
                    return True
        return False

    async def _over(self, slot: Slot, found: Found, failure: Failure | None = None) -> None:
        """Notes how it ended; ends it if it goes on within its limits."""
        ends = self._ends.ends.get(slot.task_id, [])
        if not ends and slot.isolate_state is not None:
            slot.kill()
            try:
                await asyncio.wait_for(self._ends.of(slot.task_id).wait(), self._grace_s)
            except TimeoutError:
                found.wrong.append("did not end when it was told to")
                return
        found.outcome, found.reason = classify(self._ends.ends.get(slot.task_id, []), failure, found.message)
        if block := self._ends.blocks.get(slot.task_id):
            found.outcome, found.reason = Outcome.PARKED, block.reason
            self._pool.release(block.sources)  # the same script may be let loose again
        ends = self._ends.ends.get(slot.task_id, [])
        if ends:
            found.message = ends[0].describe()[:200]

    async def _fresh(self, found: Found) -> None:
        """Another isolate can be made, and answers."""
        began = time.monotonic()
        slot = self.slot(HELLO, "fresh")
        try:
            async with asyncio.timeout(PING_PATIENCE_S):
                await slot.start()
                answer = await ask(slot)
            if not answer.wire.endswith(b"hello"):
                found.wrong.append(f"a fresh isolate did not answer: {answer.failure}")
        except (TimeoutError, IsolatedError) as error:
            found.wrong.append(f"no fresh isolate: {error!r}")
        found.fresh_ms = round((time.monotonic() - began) * 1000, 1)
        slot.kill()
        found.wrong += self.neighbour.take()

    async def _watch(self, found: Found, before: float) -> None:
        while True:
            found.peak_mib = max(found.peak_mib, round(rss_mib() - before, 1))
            await asyncio.sleep(0.005)


def handler(source: str) -> str:
    """A classic script that runs `source` for each request."""
    return (
        "addEventListener('fetch', (event) => event.respondWith((async () => {\n"
        f"{source}\n; return new Response('returned') }})()))"
    )


def classify(ends: list[Exit], failure: Failure | None, message: str) -> tuple[str, str]:
    """The class of an end, and its reason."""
    if not ends:
        if failure is None:
            # a boot that failed is told to whoever started it, and nobody else
            reason = next((reason.value for reason in ExitReason if f": {reason.value}:" in message), "")
            if not reason and message:
                return Outcome.THREW, ExitReason.UNCAUGHT.value
            return (_class_of(ExitReason(reason)), reason) if reason else (Outcome.STUCK, "")
        return Outcome.THREW if failure.reason == "handler-error" else Outcome.ENDED, failure.reason
    first = ends[0]
    if first.reason is ExitReason.KILLED and failure is not None:
        threw = failure.reason == "handler-error"
        return Outcome.THREW if threw else Outcome.ENDED, failure.reason
    return _class_of(first.reason), first.reason.value


def _class_of(reason: ExitReason) -> str:
    if reason in _THREW:
        return Outcome.THREW
    return Outcome.RETURNED if reason in _RETURNED else Outcome.ENDED


def say(what: dict[str, object]) -> None:
    """One line, at once."""
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


async def run_all(cases: list[tuple[Path, str]], at_once: int, rounds: int, v8_flags: str) -> None:
    """Runs the cases, so many at a time; one line for the beginning and one for the end of each."""
    with tempfile.TemporaryDirectory() as folder:
        async with Engine(v8_flags=v8_flags) as engine:
            yard = Yard(engine, Path(folder), GRACE_S)
            await yard.open()
            quiet = sorted(yard.neighbour.times)
            begun = rss_mib()
            gate = asyncio.Semaphore(at_once)

            async def one(script: Path, way: str) -> None:
                async with gate:
                    say({"begin": [script.stem, way]})
                    found = await yard.run(script, way)
                    say({"found": asdict(found)})

            for _ in range(rounds):
                await asyncio.gather(*(one(script, way) for script, way in cases))
            await asyncio.sleep(1.0)
            times = sorted(yard.neighbour.times)
            counts = engine.counts()
            say(
                {
                    "summary": {
                        "rss_before_mib": round(begun, 1),
                        "rss_after_mib": round(rss_mib(), 1),
                        "parked": counts.parked,
                        "isolates": engine.alive,
                        "neighbour_p99_ms": round(percentile(times, 0.99) * 1000, 2),
                        "neighbour_quiet_p99_ms": round(percentile(quiet, 0.99) * 1000, 2),
                        "neighbour_slowest_ms": round(times[-1] * 1000, 2),
                    }
                }
            )
            await yard.close()
    sys.stdout.flush()
    os._exit(0)  # parked threads never end, and nothing is left to tidy


def percentile(sorted_times: list[float], share: float) -> float:
    """The time that so large a share of them does not exceed."""
    return sorted_times[min(len(sorted_times) - 1, int(len(sorted_times) * share))]


def ways_of(scripts: Iterable[Path], way: str) -> list[tuple[Path, str]]:
    """The cases; `either`: each script once, the way that its name's place in the alphabet says."""
    cases = []
    for index, script in enumerate(sorted(scripts)):
        if script.stem.startswith("serve-"):
            cases.append((script, "handler"))
        elif way == "both":
            cases += [(script, "boot"), (script, "handler")]
        else:
            cases.append((script, ("boot", "handler")[index % 2] if way == "either" else way))
    return cases


def main() -> None:
    """The program."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("scripts", nargs="*", type=Path)
    parser.add_argument("--way", choices=["boot", "handler", "both", "either"], default="both")
    parser.add_argument("--at-once", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--v8-flags", default="", help="as on V8's command line, to try out")
    given = parser.parse_args()
    scripts = given.scripts or sorted(SCRIPTS.glob("*.js"))
    asyncio.run(run_all(ways_of(scripts, given.way), given.at_once, given.rounds, given.v8_flags))


if __name__ == "__main__":
    main()
