"""Tasks with nothing to do: their isolates end, their next request boots another."""

from __future__ import annotations

import asyncio

import pytest

from supervisor.engine.isolate import End
from supervisor.pool.idleness import LOOKS_PER_LIMIT
from supervisor.pool.run import END_S
from supervisor.pool.states import IsolateState, TaskState
from supervisor.spec.exits import Exit, ExitReason
from tests.fakes.exchange import FakeExchange
from tests.fakes.virtual_time import on_virtual_time
from tests.pool.slots import Case, slot_of, task

IDLE_S = 8.0
SEEN_S = IDLE_S / LOOKS_PER_LIMIT + 0.01  # how much later it may be noticed


async def idle_case() -> Case:
    return await slot_of(task(idle=IDLE_S * 1000)).started()


def is_asked_to_rest(case: Case) -> bool:
    return case.isolate.life.asked_to_end[:1] == [End.IDLE]


@on_virtual_time
async def test_an_isolate_without_anything_to_do_ends_and_says_how_long_it_had_nothing() -> None:
    case = await idle_case()
    await asyncio.sleep(IDLE_S - 0.1)
    assert not case.isolate.life.asked_to_end
    await asyncio.sleep(0.2)
    assert is_asked_to_rest(case)
    case.isolate.obey()
    assert case.slot.state is TaskState.IDLE
    (end,) = case.observer.ends
    assert (end.reason, end.limit) == (ExitReason.IDLE, IDLE_S * 1000)
    assert end.measured == pytest.approx(IDLE_S * 1000, rel=0.01)
    assert not end.failed


@on_virtual_time
async def test_every_request_begins_the_time_anew() -> None:
    case = await idle_case()
    for _ in range(5):
        await asyncio.sleep(IDLE_S * 0.9)
        number, _ = case.ask()
        case.isolate.respond(number)
        assert not case.isolate.life.asked_to_end
    await asyncio.sleep(IDLE_S - 0.1)
    assert not case.isolate.life.asked_to_end
    await asyncio.sleep(SEEN_S + 0.2)
    assert is_asked_to_rest(case)


@on_virtual_time
async def test_a_request_in_flight_is_no_idleness_however_long_it_takes() -> None:
    case = await slot_of(task(idle=IDLE_S * 1000, limits={"cpu": {"wall": None}})).started()
    number, _ = case.ask()
    await asyncio.sleep(IDLE_S * 10)
    assert not case.isolate.life.asked_to_end
    case.isolate.respond(number)
    await asyncio.sleep(IDLE_S - 0.1)
    assert not case.isolate.life.asked_to_end
    await asyncio.sleep(SEEN_S + 0.2)
    assert is_asked_to_rest(case)


@pytest.mark.parametrize("work", [{"timers": 1}, {"busy_since_s": 1.0}])
def test_timers_and_code_that_runs_are_no_idleness(work: dict[str, float]) -> None:
    @on_virtual_time
    async def check() -> None:
        case = await idle_case()
        for name, value in work.items():
            setattr(case.isolate.figures, name, value)
        await asyncio.sleep(IDLE_S * 10)
        assert not case.isolate.life.asked_to_end
        case.isolate.figures.timers, case.isolate.figures.busy_since_s = 0, None
        await asyncio.sleep(IDLE_S + SEEN_S)
        assert is_asked_to_rest(case)

    check()


@on_virtual_time
async def test_null_is_never() -> None:
    case = await slot_of(task(idle=None)).started()
    await asyncio.sleep(1e6)
    assert not case.isolate.life.asked_to_end


@on_virtual_time
async def test_the_shortest_times_do_not_keep_the_loop_busy() -> None:
    case = await slot_of(task(idle=1)).started()
    await asyncio.sleep(0.25)
    assert is_asked_to_rest(case)


@on_virtual_time
async def test_a_thousand_requests_at_once_boot_one_isolate_and_are_all_answered() -> None:
    case = slot_of()
    case.slot.sleep()
    asked = [case.ask() for _ in range(1000)]
    assert len(case.isolates.made) == 1
    case.isolate.tell_ready()
    for number, exchange in asked:
        case.isolate.respond(number)
        assert exchange.parsed()[0] == 204
    assert case.slot.history.boots == 1


@on_virtual_time
async def test_a_request_that_comes_while_the_isolate_ends_is_answered_by_the_next() -> None:
    case = await idle_case()
    await asyncio.sleep(IDLE_S + SEEN_S)
    first = case.isolate
    number, exchange = case.ask()
    assert not first.taken
    assert len(case.isolates.made) == 1
    first.obey()
    assert len(case.isolates.made) == 2
    case.isolate.tell_ready()
    case.isolate.respond(number)
    assert exchange.parsed()[0] == 204
    assert exchange.failure is None


@on_virtual_time
async def test_work_behind_the_last_answer_has_an_end() -> None:
    """Promises given to waitUntil hold up a polite end, and may never settle."""
    case = await idle_case()
    await asyncio.sleep(IDLE_S + SEEN_S)
    await asyncio.sleep(END_S)
    assert case.isolate.life.asked_to_end == [End.IDLE, End.KILLED]
    case.isolate.obey()
    assert case.slot.state is TaskState.IDLE
    assert case.observer.ends[0].reason is ExitReason.IDLE
    assert "behind its last answer" in case.observer.ends[0].describe()


@on_virtual_time
async def test_one_that_is_stopped_while_it_goes_to_sleep_is_stopped() -> None:
    case = await idle_case()
    await asyncio.sleep(IDLE_S + SEEN_S)
    stop = asyncio.create_task(case.slot.stop(5))
    await asyncio.sleep(0)
    case.isolate.exit(ExitReason.IDLE)
    await stop
    assert case.slot.state is TaskState.STOPPED
    await asyncio.sleep(END_S * 2)
    assert len(case.isolates.made) == 1


@on_virtual_time
async def test_one_that_fails_while_it_goes_to_sleep_has_failed() -> None:
    case = await idle_case()
    await asyncio.sleep(IDLE_S + SEEN_S)
    case.isolate.exit(ExitReason.HEAP_LIMIT)
    assert case.slot.state is TaskState.BACKOFF


@on_virtual_time
async def test_the_next_isolate_is_watched_as_well() -> None:
    case = await idle_case()
    for count in (1, 2, 3):
        await asyncio.sleep(IDLE_S + SEEN_S)
        case.isolate.obey()
        number, _ = case.ask()
        case.isolate.tell_ready()
        case.isolate.respond(number)
        assert len(case.isolates.made) == count + 1


@on_virtual_time
async def test_an_isolate_that_drains_or_is_over_is_not_put_to_sleep() -> None:
    case = await idle_case()
    stop = asyncio.create_task(case.slot.stop(IDLE_S * 3))
    await asyncio.sleep(IDLE_S * 2)
    assert case.isolate.life.asked_to_end == [End.DRAINED]
    case.isolate.obey()
    await stop
    case = await idle_case()
    case.isolate.exit(Exit(ExitReason.EXITED, code=0))
    await asyncio.sleep(IDLE_S * 2)
    assert not case.isolate.life.asked_to_end


# -- sleep(): taking part without a boot


@on_virtual_time
async def test_a_task_that_sleeps_boots_with_its_first_request() -> None:
    case = slot_of()
    case.slot.sleep()
    assert (case.slot.state, case.slot.isolate_state) == (TaskState.IDLE, None)
    assert not case.isolates.made
    number, exchange = case.ask()
    assert case.slot.isolate_state is IsolateState.BOOTING
    case.isolate.tell_ready()
    case.isolate.respond(number)
    assert exchange.parsed()[0] == 204


@on_virtual_time
async def test_a_stopped_task_can_be_put_to_sleep_and_one_that_runs_cannot() -> None:
    case = await slot_of().started()
    with pytest.raises(ValueError, match="task t is running: allowed are a new and a stopped one"):
        case.slot.sleep()
    stop = asyncio.create_task(case.slot.stop(1))
    await asyncio.sleep(0)
    case.isolate.obey()
    await stop
    case.slot.sleep()
    assert case.slot.state is TaskState.IDLE
    case.ask(FakeExchange())
    assert len(case.isolates.made) == 2
