"""Stopping and starting again, and what a slot tells and counts on the way."""

from __future__ import annotations

import asyncio
from itertools import pairwise

import pytest

from supervisor.errors import BootError, Refused
from supervisor.pool.failures import HOST_FULL, QUEUE_FULL
from supervisor.pool.history import LAST_EXITS, History
from supervisor.pool.room import PoolLimits
from supervisor.pool.states import TaskState
from supervisor.spec.exits import Exit, ExitReason
from tests.fakes.exchange import FakeExchange
from tests.fakes.virtual_time import on_virtual_time
from tests.pool.slots import Case, slot_of, task

P, R, Z, B, S = (
    TaskState.PENDING, TaskState.RUNNING, TaskState.IDLE, TaskState.BACKOFF, TaskState.STOPPED
)  # fmt: skip
BAD = "b" * 64


def steps(case: Case) -> list[tuple[TaskState, TaskState]]:
    return [(before, after) for before, after, _ in case.observer.states]


async def stopped(case: Case) -> Case:
    stop = asyncio.create_task(case.slot.stop(1))
    await asyncio.sleep(0)
    if case.slot.isolate_state is not None:
        case.isolate.exit(ExitReason.DRAINED)
    await stop
    return case


@on_virtual_time
async def test_a_stopped_task_starts_again_and_serves() -> None:
    case = await stopped(await slot_of().started())
    assert case.refusal().reason == "stopping"
    await case.started()
    assert steps(case) == [(P, R), (R, S), (S, P), (P, R)]
    number, exchange = case.ask()
    case.isolate.respond(number)
    assert exchange.parsed()[0] == 204
    assert case.slot.history.boots == 2


@on_virtual_time
async def test_a_start_while_it_stops_waits_for_the_end_first() -> None:
    case = await slot_of().started()
    stop = asyncio.create_task(case.slot.stop(10))
    await asyncio.sleep(0)
    start = asyncio.create_task(case.slot.start())
    await asyncio.sleep(1)
    assert len(case.isolates.made) == 1
    case.isolate.exit(ExitReason.DRAINED)
    await stop
    await asyncio.sleep(0)
    case.isolate.tell_ready()
    await start
    assert case.slot.state is R
    await asyncio.sleep(20)
    assert not case.isolate.life.asked_to_end, "the stop was about the isolate before"


@on_virtual_time
async def test_starting_what_runs_or_boots_boots_nothing_more() -> None:
    case = slot_of()
    first, second = (asyncio.create_task(case.slot.start()) for _ in range(2))
    await asyncio.sleep(0)
    first.cancel()
    await asyncio.sleep(0)
    case.isolate.tell_ready()
    await second
    await case.slot.start()
    assert len(case.isolates.made) == 1


@on_virtual_time
async def test_starting_what_backs_off_boots_at_once() -> None:
    case = await slot_of().started()
    for _ in range(3):
        case.isolate.exit(ExitReason.HEAP_LIMIT)
        await case.started()
    assert case.slot.history.boots == 4


@on_virtual_time
async def test_starting_what_is_blocked_lets_the_engine_look_at_the_files() -> None:
    case = await slot_of().started()
    case.isolate.exit(Exit(ExitReason.ABORTED, parked=True, sources=BAD))
    start = asyncio.create_task(case.slot.start())
    await asyncio.sleep(0)
    assert case.isolate.life.blocked == (BAD,)
    case.isolate.exit(Exit(ExitReason.BLOCKED, sources=BAD))
    with pytest.raises(BootError, match="blocked on this host"):
        await start
    assert case.slot.state is TaskState.BLOCKED


@on_virtual_time
async def test_a_request_before_the_start_boots_it() -> None:
    case = slot_of()
    number, exchange = case.ask()
    case.isolate.tell_ready()
    case.isolate.respond(number)
    assert exchange.parsed()[0] == 204


@on_virtual_time
async def test_a_start_that_is_given_up_does_not_keep_the_boot_from_failing_in_peace() -> None:
    case = slot_of()
    start = asyncio.create_task(case.slot.start())
    await asyncio.sleep(0)
    start.cancel()
    await asyncio.sleep(0)
    case.isolate.exit(ExitReason.UNCAUGHT)
    assert case.slot.state is B


# -- every transition is told


@on_virtual_time
async def test_every_transition_is_told_with_the_reason() -> None:
    case = await slot_of().started()
    case.isolate.exit(Exit(ExitReason.EXITED, code=0))
    case.ask()
    case.isolate.tell_ready()
    case.isolate.exit(Exit(ExitReason.HEAP_LIMIT, limit=2**20, measured=2**21))
    await stopped(case)
    assert steps(case) == [(P, R), (R, Z), (Z, P), (P, R), (R, B), (B, S)]
    whys = [why for _, _, why in case.observer.states]
    for why, part in zip(whys, ("2.0 ms", "code 0", "a request", "ready", "limit 1 MiB", "stopped"), strict=True):
        assert part in why
    assert all(before is case.observer.states[index][1] for index, (before, _) in enumerate(steps(case)[1:]))


@on_virtual_time
async def test_the_end_of_a_block_is_told_as_a_transition() -> None:
    for how in ("expired", "lifted"):
        case = await slot_of().started()
        case.isolate.exit(Exit(ExitReason.ABORTED, parked=True, sources=BAD))
        case.observer.states.clear()
        if how == "lifted":
            case.blocks.release("t")
        else:
            await asyncio.sleep(1e5)
        assert case.observer.states == [(TaskState.BLOCKED, Z, f"its block {'was lifted' if how == 'lifted' else how}")]


@on_virtual_time
async def test_the_block_of_other_sources_is_none_of_its_business() -> None:
    case = await slot_of().started()
    case.isolate.exit(Exit(ExitReason.ABORTED, parked=True, sources=BAD))
    case.blocks.add("c" * 64, task_id="u", reason="aborted")
    case.blocks.release("u")
    assert case.slot.state is TaskState.BLOCKED


# -- counts


@on_virtual_time
async def test_requests_and_what_the_host_answered_instead_are_counted() -> None:
    case = await slot_of().started()
    number, _ = case.ask()
    case.isolate.respond(number)
    number, _ = case.ask()
    case.isolate.fail(number)
    case.ask()
    case.isolate.exit(ExitReason.HEAP_LIMIT)
    case.ask()
    case.isolate.exit(ExitReason.HEAP_LIMIT)
    case.refusal()
    history = case.slot.history
    assert history.requests == 5
    assert history.failures == {"handler-error": 1, "heap-limit": 2, "backoff": 1}


@on_virtual_time
async def test_late_requests_are_counted_and_told_by_their_ids() -> None:
    case = await slot_of().started()
    exchanges = [FakeExchange() for _ in range(12)]
    for index, exchange in enumerate(exchanges):
        exchange.request_id = None if index == 0 else f"id-{index}"
        case.ask(exchange)
    await asyncio.sleep(1)
    assert case.observer.late == [12]
    assert case.observer.late_ids == [tuple(f"id-{index}" for index in range(1, 10))]
    assert case.slot.history.failures == {"wall-limit": 12}


@on_virtual_time
async def test_a_request_that_failed_is_told_by_its_id() -> None:
    case = await slot_of().started()
    exchange = FakeExchange()
    exchange.request_id = "abc"
    number, _ = case.ask(exchange)
    case.isolate.fail(number)
    assert case.observer.error_ids == ["abc"]


@on_virtual_time
async def test_the_last_ends_are_kept_newest_first_with_their_time() -> None:
    case = await slot_of().started()
    for code in range(LAST_EXITS + 5):
        await asyncio.sleep(1000)
        case.isolate.exit(Exit(ExitReason.EXITED, code=code))
        case.ask()
        case.isolate.tell_ready()
    exits = case.slot.history.exits
    assert [past.end.code for past in exits] == list(reversed(range(5, LAST_EXITS + 5)))
    assert [round(later.time - earlier.time) for later, earlier in pairwise(exits)] == [1000] * 9


@on_virtual_time
async def test_cpu_time_of_isolates_that_are_over_counts_as_far_as_it_was_seen() -> None:
    case = await slot_of().started()
    case.isolate.figures.cpu_s = 1.5
    assert case.slot.cpu_s == 1.5
    case.isolate.figures.cpu_s = 2.0
    await stopped(case)
    assert case.slot.cpu_s == 2.0
    await case.started()
    case.isolate.figures.cpu_s = 0.25
    assert case.slot.cpu_s == 2.25


@on_virtual_time
async def test_how_long_it_has_to_wait() -> None:
    case = await slot_of().started()
    now = asyncio.get_running_loop().time
    assert case.slot.wait_s(now()) is None
    for _ in range(2):
        case.isolate.exit(ExitReason.HEAP_LIMIT)
        if case.failure_of_asking() is None:
            case.isolate.tell_ready()
    assert case.slot.wait_s(now()) == pytest.approx(0.5, abs=0.01)
    await asyncio.sleep(1)
    assert case.slot.wait_s(now()) is None
    case.ask()
    case.isolate.exit(Exit(ExitReason.ABORTED, parked=True, sources=BAD))
    assert case.slot.wait_s(now()) == pytest.approx(3600, abs=0.01)


def test_a_history_goes_on_for_an_earlier_one() -> None:
    old, new = History(), History()
    old.requests, new.requests, old.boots, old.cpu_s, new.cpu_s = 3, 4, 1, 0.5, 0.25
    old.note_failure(HOST_FULL)
    new.note_failure(HOST_FULL)
    for time in range(LAST_EXITS):
        old.note_exit(Exit(ExitReason.EXITED), time)
    new.note_exit(Exit(ExitReason.KILLED), 100)
    new.absorb(old)
    assert (new.requests, new.boots, new.cpu_s, new.failures) == (7, 1, 0.75, {"host-full": 2})
    assert [past.time for past in new.exits] == [100, *range(LAST_EXITS - 1, 0, -1)]


# -- bounds


@on_virtual_time
async def test_the_line_before_a_boot_has_the_length_that_was_set() -> None:
    case = slot_of(limits=PoolLimits(queue=2))
    case.slot.sleep()
    case.ask()
    case.ask()
    assert case.refusal() is QUEUE_FULL
    assert case.slot.history.failures == {"queue-full": 1}


@on_virtual_time
async def test_a_full_host_refuses_a_start_with_a_remedy_and_a_request_with_a_time() -> None:
    case = slot_of(task(), limits=PoolLimits(memory=1))
    with pytest.raises(Refused, match=r"task t cannot boot: the host is full.*\n.*raise the host's") as caught:
        await case.slot.start()
    assert caught.value.retry_s == 1
    failure = case.refusal()
    assert (failure.status, failure.reason, failure.retry_after_s) == (503, "host-full", 1)
    assert not case.isolates.made
    assert case.slot.state is P
    await case.slot.stop(1)
    assert case.slot.state is S


@on_virtual_time
async def test_cpu_time_after_the_last_look_is_counted_when_the_isolate_tells_it() -> None:
    case = await slot_of().started()
    case.isolate.figures.cpu_s = 0.5
    assert case.slot.cpu_s == 0.5
    case.isolate.exit(Exit(ExitReason.CPU_LIMIT, cpu_s=1.75))
    assert case.slot.cpu_s == 1.75
