"""All tasks of a host."""

from __future__ import annotations

import asyncio

import pytest

from supervisor.engine.isolate import End
from supervisor.errors import BootError
from supervisor.pool.blocked import SavedBlock
from supervisor.pool.pool import Pool
from supervisor.pool.slot import Slot
from supervisor.pool.states import TaskState
from supervisor.spec.exits import Exit, ExitReason
from tests.fakes.exchange import FakeExchange
from tests.fakes.isolates import FakeIsolate, FakeIsolates
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


# -- removing and replacing


async def running(pool: Pool, isolates: FakeIsolates, slot: Slot) -> Slot:
    start = asyncio.create_task(slot.start())
    await asyncio.sleep(0)
    isolates.last.tell_ready()
    await start
    return slot


async def stopped(slot: Slot, isolate: FakeIsolate) -> None:
    stop = asyncio.create_task(slot.stop(1))
    await asyncio.sleep(0)
    isolate.exit(ExitReason.DRAINED)
    await stop


@on_virtual_time
async def test_only_a_stopped_task_is_forgotten_and_then_its_id_is_free() -> None:
    isolates = FakeIsolates()
    pool = pool_of(isolates)
    slot = await running(pool, isolates, pool.add(task()))
    with pytest.raises(ValueError, match="task t is running: stop it first"):
        pool.remove("t")
    await stopped(slot, isolates.last)
    pool.remove("t")
    assert not pool.slots
    pool.add(task())


@on_virtual_time
async def test_a_replacement_boots_beside_and_takes_over_place_and_counts() -> None:
    isolates, observer = FakeIsolates(), FakeObserver()
    pool = Pool(isolates.create, observer, asyncio.get_running_loop())
    old = await running(pool, isolates, pool.add(task()))
    first = isolates.last
    first.figures.cpu_s = 2.0
    number, exchange = old.request(one := FakeExchange(), 0, b"GET", b"/", b"", b""), one
    told = list(observer.states)
    new = await running(pool, isolates, pool.replacement(task(args=["new"])))
    assert pool.slots == {"t": old}
    assert observer.states == told, "it does not stand for the task yet"
    assert pool.adopt(new) is old
    assert pool.slots == {"t": new}
    assert (new.history.requests, new.history.boots, new.cpu_s) == (1, 2, 2.0)
    first.figures.cpu_s = 2.5
    stop = asyncio.create_task(old.stop(5))
    await asyncio.sleep(0)
    first.respond(number)
    assert exchange.parsed()[0] == 204
    first.exit(ExitReason.DRAINED)
    await stop
    assert observer.states == told, "what becomes of the old one is not the task's state"
    assert new.cpu_s == 2.5
    assert [past.end.reason for past in new.history.exits] == [ExitReason.DRAINED]
    assert not pool._beside


@on_virtual_time
async def test_a_replacement_in_another_state_tells_the_step() -> None:
    isolates, observer = FakeIsolates(), FakeObserver()
    pool = Pool(isolates.create, observer, asyncio.get_running_loop())
    old = pool.add(task())
    old.sleep()
    new = await running(pool, isolates, pool.replacement(task()))
    pool.adopt(new)
    assert observer.states[-1] == (TaskState.IDLE, TaskState.RUNNING, "it was replaced")
    await old.stop(1)
    assert not pool._beside


@on_virtual_time
async def test_a_replacement_that_does_not_start_changes_nothing() -> None:
    isolates = FakeIsolates()
    pool = pool_of(isolates)
    old = await running(pool, isolates, pool.add(task()))
    new = pool.replacement(task())
    start = asyncio.create_task(new.start())
    await asyncio.sleep(0)
    isolates.last.exit(ExitReason.UNCAUGHT)
    with pytest.raises(BootError):
        await start
    await new.stop(0)
    assert (pool.slots, pool._beside) == ({"t": old}, set())
    assert old.state is TaskState.RUNNING
    assert not old.history.exits


@on_virtual_time
async def test_a_replacement_needs_a_task() -> None:
    with pytest.raises(ValueError, match="task t is not here"):
        pool_of(FakeIsolates()).replacement(task())


@on_virtual_time
async def test_the_end_of_the_pool_is_that_of_replacements_too() -> None:
    isolates = FakeIsolates()
    pool = pool_of(isolates)
    await running(pool, isolates, pool.add(task()))
    await running(pool, isolates, pool.replacement(task()))
    pool.kill()
    assert [isolate.life.asked_to_end for isolate in isolates.made] == [[End.KILLED]] * 2
    stop = asyncio.create_task(pool.stop(1))
    await asyncio.sleep(0)
    for isolate in isolates.made:
        isolate.exit(ExitReason.KILLED)
    await stop


# -- blocked scripts

BAD = "b" * 64


@on_virtual_time
async def test_blocks_of_an_earlier_process_hold_and_their_end_is_told() -> None:
    observer = FakeObserver()
    pool = Pool(FakeIsolates().create, observer, asyncio.get_running_loop(), block_for_s=100)
    pool.load_blocks([SavedBlock(BAD, "gone", "aborted", 70, 30), SavedBlock("c" * 64, "t", "aborted", 100, 0)])
    assert [block.sources for block in pool.blocks()] == [BAD]
    await asyncio.sleep(29)
    assert not observer.released
    await asyncio.sleep(2)
    assert [block.task_id for block in observer.released] == ["gone"]
    assert pool.blocks() == ()


@on_virtual_time
async def test_a_block_that_is_lifted_is_told_once_and_frees_its_task() -> None:
    isolates, observer = FakeIsolates(), FakeObserver()
    pool = Pool(isolates.create, observer, asyncio.get_running_loop())
    slot = await running(pool, isolates, pool.add(task()))
    isolates.last.exit(Exit(ExitReason.ABORTED, parked=True, sources=BAD))
    assert slot.state.value == "blocked"
    (block,) = pool.release(BAD[:8])
    assert observer.released == [block]
    assert slot.state.value == "idle"
    await asyncio.sleep(1e5)
    assert observer.released == [block]


@on_virtual_time
async def test_nothing_is_told_of_blocks_that_end_after_the_pool() -> None:
    observer = FakeObserver()
    pool = Pool(FakeIsolates().create, observer, asyncio.get_running_loop())
    pool.load_blocks([SavedBlock(BAD, "t", "aborted", 0, 10)])
    await pool.stop(0)
    await asyncio.sleep(20)
    assert not observer.released
