"""All tasks of a host."""

from __future__ import annotations

import asyncio

import pytest

from supervisor.engine.isolate import End
from supervisor.pool.pool import Pool
from supervisor.pool.states import TaskState
from supervisor.spec.exits import ExitReason
from tests.fakes.exchange import FakeExchange
from tests.fakes.isolates import FakeIsolates
from tests.fakes.virtual_time import on_virtual_time
from tests.pool.slots import FakeObserver, task


def pool_of(isolates: FakeIsolates, warm: int = 0) -> Pool:
    return Pool(isolates.create, FakeObserver(), asyncio.get_running_loop(), warm=warm)


@on_virtual_time
async def test_an_id_is_there_once() -> None:
    pool = pool_of(FakeIsolates())
    pool.add(task(taskId=7))
    with pytest.raises(ValueError, match="task 7 is here already"):
        pool.add(task(taskId="7"))


@on_virtual_time
async def test_a_task_boots_in_a_warm_isolate() -> None:
    isolates = FakeIsolates()
    pool = pool_of(isolates, warm=1)
    isolates.last.tell_warm()
    slot = pool.add(task())
    start = asyncio.create_task(slot.start())
    await asyncio.sleep(0)
    (isolate,) = isolates.made
    assert isolate.life.spec is slot.spec
    isolate.tell_ready()
    await start


@on_virtual_time
async def test_exchange_numbers_are_unique_among_all_tasks() -> None:
    isolates = FakeIsolates()
    pool = pool_of(isolates)
    numbers = []
    for name in ("a", "b"):
        slot = pool.add(task(taskId=name))
        start = asyncio.create_task(slot.start())
        await asyncio.sleep(0)
        isolates.last.tell_ready()
        await start
        numbers += [slot.request(FakeExchange(), 0, b"GET", b"/", b"", b"") for _ in range(3)]
    assert len(set(numbers)) == 6


@on_virtual_time
async def test_stop_stops_all_side_by_side_and_the_warm_ones_too() -> None:
    isolates = FakeIsolates()
    pool = pool_of(isolates, warm=1)
    warm = isolates.last
    slots = [pool.add(task(taskId=name)) for name in "abc"]
    starts = [asyncio.create_task(slot.start()) for slot in slots]
    await asyncio.sleep(0)
    for isolate in isolates.made[1:]:
        isolate.tell_ready()
    await asyncio.gather(*starts)
    warm.tell_warm()
    begun = asyncio.get_running_loop().time()
    stop = asyncio.create_task(pool.stop(5))
    await asyncio.sleep(5.1)
    assert [isolate.life.asked_to_end for isolate in isolates.made] == [
        [End.KILLED], *[[End.DRAINED, End.KILLED]] * 3
    ]  # fmt: skip
    for isolate in isolates.made:
        isolate.exit(ExitReason.KILLED)
    await stop
    assert asyncio.get_running_loop().time() - begun < 6
    assert {slot.state for slot in slots} == {TaskState.STOPPED}


@on_virtual_time
async def test_kill_ends_all_that_run() -> None:
    isolates = FakeIsolates()
    pool = pool_of(isolates, warm=1)
    isolates.last.tell_warm()
    slot = pool.add(task())
    start = asyncio.create_task(slot.start())
    await asyncio.sleep(0.1)
    isolates.made[0].tell_ready()
    await start
    isolates.made[1].tell_warm()
    pool.kill()
    assert isolates.made[0].life.asked_to_end == [End.KILLED]
