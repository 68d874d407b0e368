"""Isolates that wait for a task."""

from __future__ import annotations

import asyncio

from supervisor.engine.isolate import End
from supervisor.pool.warm import REFILL_DELAY_S, WarmPool
from supervisor.spec.exits import ExitReason
from tests.fakes.isolates import FakeIsolates
from tests.fakes.listener import FakeListener
from tests.fakes.virtual_time import on_virtual_time


@on_virtual_time
async def test_it_makes_as_many_as_it_was_told_and_counts_those_that_are_warm() -> None:
    isolates = FakeIsolates()
    pool = WarmPool(isolates.create, 2)
    pool.fill()
    pool.fill()
    assert len(isolates.made) == 2
    assert len(pool) == 0
    for isolate in isolates.made:
        isolate.tell_warm()
    assert len(pool) == 2


@on_virtual_time
async def test_the_longest_warm_one_is_taken_and_soon_replaced() -> None:
    isolates, listener = FakeIsolates(), FakeListener()
    pool = WarmPool(isolates.create, 2)
    pool.fill()
    for isolate in isolates.made:
        isolate.tell_warm()
    taken = pool.take(listener)
    assert taken is isolates.made[0]
    assert taken.listener is listener
    assert len(isolates.made) == 2
    await asyncio.sleep(REFILL_DELAY_S * 1.5)
    assert len(isolates.made) == 3
    taken.listener.on_log(1, b"mine")
    assert listener.lines == ["mine"]


@on_virtual_time
async def test_without_a_warm_one_a_fresh_one_is_made_for_the_listener() -> None:
    isolates, listener = FakeIsolates(), FakeListener()
    pool = WarmPool(isolates.create, 0)
    pool.fill()
    taken = pool.take(listener)
    assert isolates.made == [taken]
    assert taken.listener is listener
    await asyncio.sleep(1)
    assert len(isolates.made) == 1, "a pool for none makes none"


@on_virtual_time
async def test_one_that_ends_before_it_was_used_is_forgotten_and_replaced_with_the_next() -> None:
    isolates = FakeIsolates()
    pool = WarmPool(isolates.create, 1)
    pool.fill()
    isolates.made[0].tell_warm()
    isolates.made[0].exit(ExitReason.ABORTED)
    assert len(pool) == 0
    assert pool.take(FakeListener()) is isolates.made[1]
    await asyncio.sleep(1)
    assert len(isolates.made) == 3


@on_virtual_time
async def test_a_machine_without_threads_keeps_what_it_has() -> None:
    isolates = FakeIsolates(threads_left=1)
    pool = WarmPool(isolates.create, 3)
    pool.fill()
    isolates.made[0].tell_warm()
    assert len(pool) == 1
    pool.take(FakeListener())
    without = FakeListener()
    pool.take(without)
    await asyncio.sleep(0)
    assert without.end is not None
    assert without.end.reason is ExitReason.NO_THREAD
    made = len(isolates.made)
    await asyncio.sleep(10)
    assert len(isolates.made) == made + 3, "no more than once for each that was taken"
    assert len(pool) == 0
    isolates.threads_left = 3
    pool.take(FakeListener())
    await asyncio.sleep(REFILL_DELAY_S * 1.5)
    isolates.last.tell_warm()
    assert len(pool) == 1, "it tries again once there may be threads"


@on_virtual_time
async def test_closing_ends_all_that_are_warm_or_become_so_and_makes_no_more() -> None:
    isolates = FakeIsolates()
    pool = WarmPool(isolates.create, 2)
    pool.fill()
    first, second = isolates.made
    first.tell_warm()
    taken = pool.take(FakeListener())
    assert taken is first
    await asyncio.sleep(REFILL_DELAY_S * 1.5)
    third = isolates.last
    third.tell_warm()
    pool.close()
    second.tell_warm()
    assert [isolate.life.asked_to_end for isolate in (first, second, third)] == [[], [End.KILLED], [End.KILLED]]
    for isolate in (second, third):
        isolate.obey()
    await asyncio.sleep(1)
    assert len(isolates.made) == 3
    assert len(pool) == 0
