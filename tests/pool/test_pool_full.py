"""A host with bounds: idle isolates give way, and what is refused is counted."""

from __future__ import annotations

import asyncio
from typing import Any

from supervisor.engine.isolate import End
from supervisor.pool.exchange import Failure, RequestRefused
from supervisor.pool.pool import Pool
from supervisor.pool.room import ASK_AGAIN_S, PoolLimits
from supervisor.pool.slot import Slot
from supervisor.pool.states import TaskState
from supervisor.spec.exits import ExitReason
from tests.fakes.exchange import FakeExchange
from tests.fakes.isolates import FakeIsolate, FakeIsolates
from tests.fakes.virtual_time import on_virtual_time
from tests.pool.slots import FakeObserver, task

MIB = 2**20


class Host:
    """A pool with two places, and tasks that sleep."""

    def __init__(self, limits: PoolLimits | None = None) -> None:
        self.isolates = FakeIsolates()
        self.observer = FakeObserver()
        self.pool = Pool(
            self.isolates.create, self.observer, asyncio.get_running_loop(), limits=limits or PoolLimits(isolates=2)
        )
        self.settings: dict[str, Any] = {"idle": "60s"}

    def sleeping(self, name: str, **settings: Any) -> Slot:
        slot = self.pool.add(task(taskId=name, **self.settings | settings))
        slot.sleep()
        return slot

    def running(self, name: str, **settings: Any) -> tuple[Slot, FakeIsolate]:
        """A task that has answered a request."""
        slot = self.sleeping(name, **settings)
        number, _ = ask(slot)
        self.isolates.last.tell_ready()
        self.isolates.last.respond(number)
        return slot, self.isolates.last


def ask(slot: Slot) -> tuple[int, FakeExchange]:
    exchange = FakeExchange()
    return slot.request(exchange, 0, b"GET", b"/", b"", b""), exchange


def refusal(slot: Slot) -> Failure | None:
    try:
        ask(slot)
    except RequestRefused as refused:
        return refused.failure
    return None


@on_virtual_time
async def test_the_task_asked_longest_ago_gives_way_and_its_place_boots_the_next() -> None:
    host = Host()
    (old, first), (_, second) = host.running("a"), host.running("b")
    third = host.sleeping("c")
    number, exchange = ask(third)
    assert (first.life.asked_to_end, second.life.asked_to_end) == ([End.IDLE], [])
    assert len(host.isolates.made) == 2, "never more than the bound"
    assert third.state is TaskState.PENDING
    first.obey()
    await asyncio.sleep(0.01)
    host.isolates.last.tell_ready()
    host.isolates.last.respond(number)
    assert exchange.parsed()[0] == 204
    assert old.state is TaskState.IDLE
    assert "needed its place" in old.history.exits[0].end.describe()
    assert host.pool.refused == {"host-full": 0, "queue-full": 0}


@on_virtual_time
async def test_a_later_request_of_the_older_task_changes_who_gives_way() -> None:
    host = Host()
    (old, first), (_, second) = host.running("a"), host.running("b")
    number, _ = ask(old)
    first.respond(number)
    ask(host.sleeping("c"))
    assert (first.life.asked_to_end, second.life.asked_to_end) == ([], [End.IDLE])


@on_virtual_time
async def test_tasks_at_work_keep_their_places_and_the_request_is_refused_and_counted() -> None:
    host = Host()
    (one, _), (_, second) = host.running("a"), host.running("b")
    ask(one)
    second.figures.timers = 1
    third = host.sleeping("c")
    failure = refusal(third)
    assert failure is not None
    assert (failure.status, failure.reason, failure.retry_after_s) == (503, "host-full", 1)
    assert third.state is TaskState.IDLE
    assert host.pool.refused["host-full"] == 1
    assert len(host.isolates.made) == 2
    second.figures.timers = 0
    await asyncio.sleep(ASK_AGAIN_S)
    ask(third)
    assert second.life.asked_to_end == [End.IDLE]


@on_virtual_time
async def test_tasks_that_nothing_would_wake_or_that_never_idle_keep_their_places() -> None:
    host = Host()
    host.running("a", idle=None)
    host.running("b", listen=[])
    assert refusal(host.sleeping("c")) is not None


@on_virtual_time
async def test_memory_counts_by_limits() -> None:
    host = Host(PoolLimits(memory=100 * MIB))
    host.settings["limits"] = {"mem": {"heap": "30MiB", "external": "20MiB"}}
    host.running("a")
    _, second = host.running("b")
    assert host.pool.room.memory == 100 * MIB
    ask(host.sleeping("c"))
    assert host.isolates.made[0].life.asked_to_end == [End.IDLE]
    assert second.life.asked_to_end == []


@on_virtual_time
async def test_places_come_back_whatever_the_end() -> None:
    host = Host()
    for index, reason in enumerate(ExitReason):
        _, isolate = host.running(f"t{index}")
        isolate.exit(reason)
        assert host.pool.room.isolates == 0
    assert host.pool.room.memory == 0


@on_virtual_time
async def test_a_request_that_waits_for_a_place_waits_no_longer_than_its_limit() -> None:
    host = Host()
    host.running("a")
    host.running("b")
    third = host.sleeping("c")
    _, exchange = ask(third)
    await asyncio.sleep(1)
    assert exchange.failure is not None
    assert exchange.failure.reason == "wall-limit"


@on_virtual_time
async def test_a_task_that_waits_for_a_place_can_be_stopped() -> None:
    host = Host()
    (_, first), _ = host.running("a"), host.running("b")
    third = host.sleeping("c")
    _, exchange = ask(third)
    await third.stop(1)
    assert exchange.failure is not None
    assert exchange.failure.reason == "stopping"
    first.obey()
    await asyncio.sleep(1)
    assert len(host.isolates.made) == 2
    assert third.state is TaskState.STOPPED


@on_virtual_time
async def test_a_start_waits_for_a_place() -> None:
    host = Host()
    (_, first), _ = host.running("a"), host.running("b")
    start = asyncio.create_task(host.pool.add(task(taskId="c")).start())
    await asyncio.sleep(0.01)
    first.obey()
    await asyncio.sleep(0.01)
    host.isolates.last.tell_ready()
    await start


@on_virtual_time
async def test_no_thread_for_a_task_that_waited_for_a_place_is_told_to_its_requests() -> None:
    host = Host()
    (_, first), _ = host.running("a"), host.running("b")
    third = host.sleeping("c")
    _, exchange = ask(third)
    host.isolates.threads_left = 0
    first.obey()
    await asyncio.sleep(0.01)
    assert exchange.failure is not None
    assert exchange.failure.reason == "no-thread"
    assert third.state is TaskState.BACKOFF
    assert host.pool.room.isolates == 1


@on_virtual_time
async def test_waiting_requests_of_one_that_went_to_sleep_hear_that_the_host_is_full() -> None:
    """Its place went to somebody who was in line before, and those inside are at work."""
    host = Host(PoolLimits(isolates=1))
    slot, isolate = host.running("a")
    other = host.sleeping("b")
    other_number, _ = ask(other)
    _, exchange = ask(slot)
    isolate.obey()
    assert exchange.failure is not None
    assert exchange.failure.reason == "host-full"
    assert host.pool.refused["host-full"] == 1
    await asyncio.sleep(0.01)
    host.isolates.last.tell_ready()
    host.isolates.last.respond(other_number)
