"""Whatever happens to tasks, in whatever order: no transition is illegal, and every request gets exactly one answer."""

from __future__ import annotations

import asyncio
import contextlib

from hypothesis import given, settings
from hypothesis import strategies as st

from supervisor.errors import IsolatedError
from supervisor.pool.exchange import RequestRefused
from supervisor.pool.pool import Pool
from supervisor.pool.room import PoolLimits
from supervisor.pool.slot import Slot
from supervisor.pool.states import IsolateState, TaskState
from supervisor.spec.exits import Exit, ExitReason
from tests.fakes.exchange import FakeExchange
from tests.fakes.isolates import FakeIsolate, FakeIsolates
from tests.fakes.virtual_time import on_virtual_time
from tests.pool.slots import FakeObserver, task

NAMES = ("a", "b", "c")
ENDS = [
    Exit(ExitReason.EXITED, code=0),
    Exit(ExitReason.HEAP_LIMIT, limit=1, measured=2),
    Exit(ExitReason.ABORTED, parked=True, sources="b" * 64),
    Exit(ExitReason.BLOCKED, sources="b" * 64),
    Exit(ExitReason.UNCAUGHT),
]


class Host:
    """Three tasks on two places."""

    def __init__(self) -> None:
        self.isolates = FakeIsolates()
        self.observer = FakeObserver()
        limits = PoolLimits(isolates=2, queue=3)
        self.pool = Pool(self.isolates.create, self.observer, asyncio.get_running_loop(), limits=limits)
        for name in NAMES:
            self.pool.add(task(taskId=name, idle=500))
        self.exchanges: list[FakeExchange] = []
        self.doing: set[asyncio.Task[None]] = set()
        self.refused = 0

    def slot(self, which: int) -> Slot:
        return self.pool.slots[NAMES[which]]

    def isolate(self, which: int) -> FakeIsolate | None:
        """The isolate that the task has now."""
        run = self.slot(which)._run
        return run.isolate if run is not None and isinstance(run.isolate, FakeIsolate) else None

    def ask(self, which: int) -> None:
        exchange = FakeExchange()
        try:
            self.slot(which).request(exchange, 0, b"GET", b"/", b"", b"")
        except RequestRefused:
            self.refused += 1
        else:
            self.exchanges.append(exchange)

    def ready(self, which: int) -> None:
        isolate, state = self.isolate(which), self.slot(which).isolate_state
        if isolate is not None and not isolate.life.gone and state is IsolateState.BOOTING:
            isolate.tell_ready()

    def answer(self, which: int) -> None:
        isolate = self.isolate(which)
        if isolate is not None and isolate.exchanges and not isolate.life.gone:
            isolate.respond(next(iter(isolate.exchanges)))

    def obey(self, which: int) -> None:
        isolate = self.isolate(which)
        if isolate is not None and isolate.life.asked_to_end:
            isolate.obey()

    def vanish(self, which: int) -> None:
        isolate = self.isolate(which)
        if isolate is not None:
            isolate.vanish()

    def end(self, which: int, how: int = 0) -> None:
        isolate = self.isolate(which)
        if isolate is not None:
            isolate.exit(ENDS[how % len(ENDS)])

    def start(self, which: int) -> None:
        self._do(self.slot(which).start())

    def stop(self, which: int) -> None:
        self._do(self.slot(which).stop(0.3))

    def sleep(self, which: int) -> None:
        with contextlib.suppress(ValueError):
            self.slot(which).sleep()

    def kill(self, which: int) -> None:
        self.slot(which).kill()

    def release(self, which: int) -> None:
        self.pool.release(NAMES[which])

    def replace(self, which: int) -> None:
        new = self.pool.replacement(self.slot(which).spec)
        new.sleep()
        old = self.pool.adopt(new)
        self._do(old.stop(0.3))

    def _do(self, doing: object) -> None:
        async def quietly() -> None:
            with contextlib.suppress(IsolatedError):
                await doing  # type: ignore[misc]

        step = asyncio.create_task(quietly())
        self.doing.add(step)


STEPS = [
    "ask", "ask", "ask", "ready", "ready", "answer", "answer", "obey", "vanish", "end", "start", "stop", "sleep",
    "kill", "release", "replace", "wait", "wait",
]  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(STEPS), st.integers(0, 2), st.integers(0, 4)), max_size=50))
def test_every_request_has_one_answer_and_every_place_comes_back(steps: list[tuple[str, int, int]]) -> None:
    @on_virtual_time
    async def check() -> None:
        host = Host()
        for step, which, more in steps:
            if step == "wait":
                await asyncio.sleep((0, 0.05, 0.4, 3.0, 70.0)[more])
            elif step == "end":
                host.end(which, more)
            else:
                getattr(host, step)(which)
            assert host.pool.room.isolates <= 2
            assert sum(slot._run is not None for slot in host.pool._all()) == host.pool.room.isolates
        for _ in range(3):  # a start may have waited for a stop; isolates that do not end are given up
            await asyncio.sleep(0.01)
            await host.pool.stop(0.1)
        await asyncio.wait_for(asyncio.gather(*host.doing), 60)
        for exchange in host.exchanges:
            assert exchange.over.is_set()
            assert not exchange.violations
        assert {slot.state for slot in host.pool.slots.values()} == {TaskState.STOPPED}
        assert (host.pool.room.isolates, host.pool.room.memory) == (0, 0)
        assert not host.pool._beside

    check()
