"""One soak: a host, its tasks, who asks them, who harms it, and its figures after each hand-over."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any

from tools.benchmarks import procfs
from tools.benchmarks.our_host import OurHost, free_ports
from tools.soaking.figures import Figures, figures_of
from tools.soaking.programs import HEALTHY, HELLO, HOSTILE_LIMITS, hostile_scripts, hostile_source
from tools.soaking.tasks import Tasks
from tools.soaking.traffic import Counts, ask_all_the_while, ask_once
from tools.soaking.wire import Client, NoAnswer, WrongAnswer

LINE_EVERY_S = 10.0
SETTLE_S = 3.0  # after a hand-over and with nobody harmful about, before the figures are taken
CALM_S = 60.0  # until what is under way is over, and until the process before is gone (it drains for 30 s at most)
AGAIN_S = 0.5
SHORT_LIVED_S = 1.0  # how long such a task is left asleep
HOSTILE_S = 8.0  # for an answer of a hostile task: well above what its limits allow


@dataclass(frozen=True)
class Plan:
    """handover_every_s: those that are asked for; the host makes others by itself, past its threshold."""

    seconds: float
    handover_every_s: float
    hostile_at_once: int
    hostile_rest_s: float  # between the end of one and the next in its place
    seed: int


class Soak:
    """Loop thread."""

    def __init__(self, host: OurHost, plan: Plan, say: Callable[[str], None]) -> None:
        self.counts = Counts()
        self.samples: list[Figures] = []
        self._host = host
        self._plan = plan
        self._say = say
        self._began = time.monotonic()
        self._chance = random.Random(plan.seed)  # which scripts come is no secret
        self._numbers = count()
        self._go = asyncio.Event()  # harm and changes may begin
        self._tasks = Tasks(host, self.counts, say)

    async def run(self) -> None:
        """Goes on for the time planned. Raises MeasurementFailed if the host dies."""
        async with asyncio.TaskGroup() as group:
            background = [group.create_task(each) for each in [*await self._clients(), *self._others()]]
            while self._left_s() > 0:
                self._go.set()
                await asyncio.sleep(min(self._left_s(), self._plan.handover_every_s))
                self._host.check()
                await self._calm()
                await self._note("end")
                await self._hand_over()
                await self._note("begin")
            for each in background:
                each.cancel()

    # -- tasks that behave -----------------------------------------------------------------------------------------

    async def _clients(self) -> list[Coroutine[Any, Any, None]]:
        ports = free_ports(len(HEALTHY))
        clients: list[Coroutine[Any, Any, None]] = []
        for program, port in zip(HEALTHY, ports, strict=True):
            await self._tasks.apply(program.name, program.source, port, idle=program.idle)
            closes = (False, False, True) if program.rest_s == 0 else (True,)
            clients += [ask_all_the_while(program, port, self.counts, close=close) for close in closes]
        return clients

    # -- others, one after another ---------------------------------------------------------------------------------

    def _others(self) -> Sequence[Coroutine[Any, Any, None]]:
        hostile = [self._again_and_again(self._harm) for _ in range(self._plan.hostile_at_once)]
        return [*hostile, self._again_and_again(self._short_life), self._lines()]

    async def _again_and_again(self, act: Callable[[], Coroutine[Any, Any, None]]) -> None:
        while True:
            await self._go.wait()
            await act()

    async def _harm(self) -> None:
        """Applies a hostile task, asks it, and removes it: whatever it answers is fine."""
        name = self._chance.choice(hostile_scripts())
        # A mark of its own: the same sources are blocked once they have cost a thread.
        source = f"{hostile_source(name)}\n// {next(self._numbers)}\n"
        async with self._tasks.living(f"hostile-{next(self._numbers)}-{name}", source, limits=HOSTILE_LIMITS) as port:
            self.counts.hostile += 1
            if port is None:
                return
            client = Client(port, HOSTILE_S)
            for path in ("/", "/again"):
                try:
                    await client.ask(path=path, close=True)
                except NoAnswer:
                    self.counts.unanswered[name] = self.counts.unanswered.get(name, 0) + 1
                except WrongAnswer:
                    pass
            client.close()
        await asyncio.sleep(self._plan.hostile_rest_s)

    async def _short_life(self) -> None:
        """Applies a task that behaves, asks it, lets it fall asleep, wakes it, and removes it."""
        async with self._tasks.living(f"short-{next(self._numbers)}", HELLO.source, idle="200ms") as port:
            with self.counts.checking("short-lived"):
                if port is None:
                    raise WrongAnswer("it was refused")
                for _ in range(2):
                    await ask_once(Client(port), HELLO, self.counts, close=True)
                    await asyncio.sleep(SHORT_LIVED_S)
            self.counts.short_lived += 1

    # -- figures ---------------------------------------------------------------------------------------------------

    def _left_s(self) -> float:
        return self._began + self._plan.seconds - time.monotonic()

    async def _calm(self) -> None:
        """Waits until nobody changes or harms anything."""
        self._go.clear()
        deadline = time.monotonic() + CALM_S
        while self._tasks.busy and time.monotonic() < deadline:  # noqa: ASYNC110
            await asyncio.sleep(0.05)
        for label, since in self._tasks.busy.items():
            self.counts.failed(f"{label} is under way since {time.monotonic() - since:.0f} s")
        await asyncio.sleep(SETTLE_S)

    async def _hand_over(self) -> None:
        """Returns when a fresh process is the host, and the one before is gone."""
        before = await self._tasks.control(self._host.control.status)
        await self._tasks.control(self._host.control.upgrade)
        deadline = time.monotonic() + CALM_S
        # The one that was started stays and waits for the host, unless it is the host.
        while len(procfs.session_processes(self._host.pid)) > 2:
            if time.monotonic() > deadline:
                self.counts.failed(f"process {before['pid']} has handed over and does not end")
                break
            await asyncio.sleep(0.1)
        await asyncio.sleep(SETTLE_S)

    async def _note(self, moment: str | None = None) -> None:
        figures = await self._sample(moment)
        self.samples.append(figures)
        self._say(figures.line() if moment is not None else f"{figures.line()}; {describe(self.counts)}")

    async def _sample(self, moment: str | None) -> Figures:
        """Once more if the host hands over in the middle of it."""
        while True:
            status = await self._tasks.control(self._host.control.status)
            try:
                return figures_of(time.monotonic() - self._began, self._host.pid, status, moment)
            except OSError:
                await asyncio.sleep(AGAIN_S)

    async def _lines(self) -> None:
        while True:
            await asyncio.sleep(LINE_EVERY_S)
            await self._note()


def describe(counts: Counts) -> str:
    """What was asked so far."""
    return (
        f"{counts.requests} requests, {counts.failures} failures, {counts.hostile} hostile, "
        f"{counts.short_lived} short-lived, {sum(counts.unanswered.values())} hostile requests without an end"
    )
