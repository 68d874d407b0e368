"""Requests that are not answered in time, and isolates that spin."""

from __future__ import annotations

import asyncio

from supervisor.engine.isolate import End
from supervisor.pool.slot import SPIN_GRACE_S
from supervisor.spec.exits import Exit, ExitReason
from tests.fakes.virtual_time import on_virtual_time
from tests.pool.slots import WALL_MS, slot_of, task

LONG_S = WALL_MS / 1000 * 1.5


@on_virtual_time
async def test_an_unanswered_request_gets_503_and_is_aborted() -> None:
    case = await slot_of().started()
    number, exchange = case.ask()
    await asyncio.sleep(LONG_S)
    failure = exchange.failure
    assert failure is not None
    assert (failure.status, failure.reason) == (503, "wall-limit")
    assert "300 ms" in failure.detail
    assert case.isolate.life.aborted == [number]
    assert case.observer.late == [1]
    await asyncio.sleep(10)
    assert not case.isolate.life.asked_to_end, "an isolate that waits is not one that spins"
    assert not exchange.violations


@on_virtual_time
async def test_a_response_that_began_in_time_may_take_longer() -> None:
    case = await slot_of().started()
    number, exchange = case.ask()
    case.isolate.begin(number)
    await asyncio.sleep(100)
    assert exchange.failure is None
    case.isolate.finish(number)
    assert exchange.over.is_set()


@on_virtual_time
async def test_waiting_for_the_boot_counts() -> None:
    case = await slot_of(task(limits={"cpu": {"wall": WALL_MS, "startup": None}})).started()
    case.isolate.exit(Exit(ExitReason.EXITED, code=0))
    _, exchange = case.ask()
    await asyncio.sleep(LONG_S)
    assert exchange.failure is not None
    case.isolate.obey()
    assert not exchange.violations


@on_virtual_time
async def test_a_spinning_isolate_is_ended_and_the_others_hear_of_it() -> None:
    case = await slot_of().started()
    case.isolate.figures.busy_since_s = 4711.0
    case.ask()
    await asyncio.sleep(LONG_S)
    _, later = case.ask()
    assert not case.isolate.life.asked_to_end
    await asyncio.sleep(SPIN_GRACE_S)
    assert case.isolate.life.asked_to_end == [End.WALL_LIMIT]
    case.isolate.obey()
    assert later.failure is not None
    assert later.failure.reason == "wall-limit"
    assert case.observer.ends[0].limit == WALL_MS


@on_virtual_time
async def test_an_isolate_that_went_on_to_other_work_is_not_ended() -> None:
    case = await slot_of().started()
    case.isolate.figures.busy_since_s = 4711.0
    case.ask()
    await asyncio.sleep(LONG_S)
    case.isolate.figures.busy_since_s = 4712.0
    await asyncio.sleep(SPIN_GRACE_S * 2)
    assert not case.isolate.life.asked_to_end


@on_virtual_time
async def test_an_isolate_that_ended_meanwhile_is_left_alone() -> None:
    case = await slot_of().started()
    case.isolate.figures.busy_since_s = 4711.0
    case.ask()
    await asyncio.sleep(LONG_S)
    case.isolate.exit(ExitReason.HEAP_LIMIT)
    case.ask()
    case.isolate.tell_ready()
    await asyncio.sleep(SPIN_GRACE_S * 2)
    assert not case.isolate.life.asked_to_end


@on_virtual_time
async def test_without_a_limit_a_request_may_take_for_ever() -> None:
    case = await slot_of(task(limits={"cpu": {"wall": None}})).started()
    _, exchange = case.ask()
    await asyncio.sleep(1e6)
    assert exchange.failure is None
