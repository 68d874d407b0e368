"""A task's end: drained, then ended; from every state."""

from __future__ import annotations

import asyncio

from supervisor.engine.isolate import End
from supervisor.pool.failures import STOPPING
from supervisor.pool.states import TaskState
from supervisor.spec.exits import Exit, ExitReason
from tests.fakes.virtual_time import on_virtual_time
from tests.pool.slots import slot_of, task

DRAIN_S = 30.0


async def stopping(case: object, drain_s: float = DRAIN_S) -> asyncio.Task[None]:
    begun = asyncio.create_task(case.slot.stop(drain_s))  # type: ignore[attr-defined]
    await asyncio.sleep(0)
    return begun


@on_virtual_time
async def test_a_running_task_finishes_what_it_has_and_takes_no_more() -> None:
    case = await slot_of().started()
    number, exchange = case.ask()
    stop = await stopping(case)
    assert case.isolate.life.asked_to_end == [End.DRAINED]
    assert case.refusal() is STOPPING
    case.isolate.respond(number)
    assert exchange.parsed()[0] == 204
    case.isolate.exit(ExitReason.DRAINED)
    await stop
    assert case.slot.state is TaskState.STOPPED
    assert case.slot.isolate_state is None


@on_virtual_time
async def test_a_second_stop_takes_nothing_away_from_who_is_being_answered() -> None:
    case = await slot_of().started()
    number, exchange = case.ask()
    stops = [await stopping(case), await stopping(case)]
    assert exchange.failure is None
    case.isolate.respond(number)
    assert exchange.parsed()[0] == 204
    case.isolate.exit(ExitReason.DRAINED)
    await asyncio.gather(*stops)
    assert case.slot.state is TaskState.STOPPED


@on_virtual_time
async def test_one_that_does_not_finish_in_time_is_ended() -> None:
    case = await slot_of().started()
    _, exchange = case.ask()
    stop = await stopping(case, 5)
    await asyncio.sleep(4.9)
    assert case.isolate.life.asked_to_end == [End.DRAINED]
    await asyncio.sleep(0.2)
    assert case.isolate.life.asked_to_end == [End.DRAINED, End.KILLED]
    case.isolate.obey()
    await stop
    assert exchange.failure is not None
    assert exchange.failure.status == 503


@on_virtual_time
async def test_a_task_that_boots_is_stopped_and_start_returns() -> None:
    case = slot_of()
    start = asyncio.create_task(case.slot.start())
    await asyncio.sleep(0)
    stop = await stopping(case)
    case.isolate.tell_ready()
    case.isolate.exit(ExitReason.DRAINED)
    await asyncio.gather(start, stop)
    assert case.slot.state is TaskState.STOPPED
    assert not case.observer.ready


@on_virtual_time
async def test_waiting_requests_hear_that_the_host_stops() -> None:
    case = await slot_of().started()
    case.isolate.exit(Exit(ExitReason.EXITED, code=0))
    (first, ahead), (_, in_line) = case.ask(), case.ask()
    stop = await stopping(case)
    assert ahead.failure is STOPPING
    assert in_line.failure is STOPPING
    assert case.isolate.life.aborted == [first]
    case.isolate.exit(ExitReason.DRAINED)
    await stop


@on_virtual_time
async def test_a_task_that_sleeps_or_waits_is_stopped_at_once() -> None:
    for end in (Exit(ExitReason.EXITED, code=0), Exit(ExitReason.HEAP_LIMIT)):
        case = await slot_of().started()
        case.isolate.exit(end)
        await case.slot.stop(DRAIN_S)
        assert case.slot.state is TaskState.STOPPED
        assert case.refusal() is STOPPING


@on_virtual_time
async def test_a_task_that_was_never_started_can_be_stopped() -> None:
    case = slot_of()
    await case.slot.stop(DRAIN_S)
    assert case.slot.state is TaskState.STOPPED
    assert not case.isolates.made


@on_virtual_time
async def test_stopping_twice_is_stopping_once() -> None:
    case = await slot_of().started()
    first, second = await stopping(case), await stopping(case)
    case.isolate.exit(ExitReason.DRAINED)
    begun = asyncio.get_running_loop().time()
    await asyncio.gather(first, second)
    assert asyncio.get_running_loop().time() - begun < 1
    await case.slot.stop(DRAIN_S)
    assert case.slot.state is TaskState.STOPPED


@on_virtual_time
async def test_kill_ends_at_once_in_every_state() -> None:
    case = slot_of()
    case.slot.kill()  # nothing there yet
    start = asyncio.create_task(case.slot.start())
    await asyncio.sleep(0)
    case.slot.kill()
    case.isolate.tell_ready()
    case.slot.kill()
    assert case.isolate.life.asked_to_end == [End.KILLED, End.KILLED]
    case.isolate.obey()
    await start
    case.slot.kill()


@on_virtual_time
async def test_kill_cuts_a_drain_short() -> None:
    case = await slot_of().started()
    _, exchange = case.ask()
    stop = await stopping(case)
    case.slot.kill()
    assert case.isolate.life.asked_to_end == [End.DRAINED, End.KILLED]
    case.isolate.obey()
    await stop
    assert exchange.failure is not None
    assert exchange.failure.reason == "killed"


@on_virtual_time
async def test_one_that_does_not_even_end_when_it_is_killed_is_given_up() -> None:
    """V8 has built-ins that no termination reaches."""
    case = await slot_of(task(limits={"cpu": {"wall": None}})).started()
    number, exchange = case.ask()
    await case.slot.stop(5)
    assert case.slot.state is TaskState.STOPPED
    assert exchange.failure is not None
    assert exchange.failure.reason == "unresponsive"
    assert [end.reason for end in case.observer.ends] == [ExitReason.UNRESPONSIVE]
    case.isolate.respond(number)
    case.isolate.listener.on_log(1, b"late")
    case.isolate.exit(ExitReason.KILLED)
    assert len(case.observer.ends) == 1, "what it says later is not heard"
    assert not case.observer.console
    assert not exchange.violations


@on_virtual_time
async def test_the_program_may_fail_while_it_drains() -> None:
    case = await slot_of().started()
    _, exchange = case.ask()
    stop = await stopping(case)
    case.isolate.exit(ExitReason.HEAP_LIMIT)
    await stop
    assert exchange.failure is not None
    assert exchange.failure.reason == "heap-limit"
    assert case.slot.state is TaskState.STOPPED
