"""A task's requests: handed to its isolate, kept while it boots, failed when it ends."""

from __future__ import annotations

import asyncio

import pytest

from supervisor.pool.exchange import FLAG_STREAM
from supervisor.pool.failures import HANDLER_ERROR
from supervisor.pool.states import IsolateState, TaskState
from supervisor.pool.waiting import MOST_WAITING
from supervisor.spec.exits import Exit, ExitReason
from tests.fakes.exchange import FakeExchange
from tests.fakes.virtual_time import on_virtual_time
from tests.pool.slots import slot_of


@on_virtual_time
async def test_a_ready_isolate_gets_requests_and_answers_them() -> None:
    case = await slot_of().started()
    assert (case.slot.state, case.slot.isolate_state) == (TaskState.RUNNING, IsolateState.READY)
    number, exchange = case.ask()
    assert case.isolate.taken[number].target == b"/"
    case.isolate.respond(number, b"HTTP/1.1 200 OK\r\n\r\nhello")
    assert exchange.parsed() == (200, {}, b"hello")
    assert not exchange.violations


@on_virtual_time
async def test_numbers_are_never_used_twice() -> None:
    case = await slot_of().started()
    numbers = [case.ask()[0] for _ in range(5)]
    assert len(set(numbers)) == 5
    assert 0 not in numbers


@on_virtual_time
async def test_bodies_credit_and_aborts_reach_the_isolate() -> None:
    case = await slot_of().started()
    number, _ = case.ask(flags=FLAG_STREAM)
    case.slot.body(number, b"some ")
    case.slot.body(number, b"more")
    case.slot.body_end(number)
    case.slot.credit(number, 7)
    taken = case.isolate.taken[number]
    assert (taken.body, taken.ended, taken.credit) == (b"some more", True, 7)
    case.slot.body_failed(number)
    assert taken.failed
    case.slot.abort(number)
    assert case.isolate.life.aborted == [number]


@on_virtual_time
async def test_calls_for_an_unknown_number_do_nothing() -> None:
    case = slot_of()
    for slot_has_isolate in (False, True):
        if slot_has_isolate:
            await case.started()
        case.slot.body(99, b"x")
        case.slot.body_end(99)
        case.slot.body_failed(99)
        case.slot.credit(99, 1)
        case.slot.abort(99)
    assert not case.isolate.life.aborted


@on_virtual_time
async def test_a_handler_that_failed_is_told_to_the_log_and_not_to_the_client() -> None:
    case = await slot_of().started()
    number, exchange = case.ask()
    case.isolate.fail(number, b"Error: the secret\n at a.js:1:2")
    assert case.observer.errors == ["Error: the secret\n at a.js:1:2"]
    assert exchange.failure is HANDLER_ERROR
    assert "secret" not in str(exchange.failure)


@on_virtual_time
async def test_requests_wait_while_a_task_boots_again_and_are_then_handed_over_in_order() -> None:
    case = await slot_of().started()
    case.isolate.exit(Exit(ExitReason.EXITED, code=0))
    assert case.slot.state is TaskState.IDLE
    (first, _), (second, _) = case.ask(), case.ask(flags=FLAG_STREAM)
    assert (case.slot.state, case.slot.isolate_state) == (TaskState.PENDING, IsolateState.BOOTING)
    assert len(case.isolates.made) == 2, "one boot for both"
    case.slot.body(second, b"body")
    case.slot.body_end(second)
    assert list(case.isolate.exchanges) == [first], "the first is there when the isolate is ready, the others wait"
    case.isolate.tell_ready()
    assert list(case.isolate.exchanges) == [first, second]
    assert (case.isolate.taken[second].body, case.isolate.taken[second].ended) == (b"body", True)


@on_virtual_time
async def test_a_client_that_leaves_while_it_waits_is_not_handed_over() -> None:
    case = await slot_of().started()
    case.isolate.exit(Exit(ExitReason.EXITED, code=0))
    (first, exchange), (second, other) = case.ask(), case.ask()
    case.slot.abort(first)
    case.slot.abort(second)
    case.isolate.tell_ready()
    assert not case.isolate.exchanges
    assert case.isolate.life.aborted == [first]
    assert not exchange.over.is_set()
    assert not other.over.is_set()


@on_virtual_time
async def test_too_many_waiting_requests_are_refused() -> None:
    case = await slot_of().started()
    case.isolate.exit(Exit(ExitReason.EXITED, code=0))
    waiting = [case.ask() for _ in range(MOST_WAITING)]
    failure = case.refusal()
    assert (failure.status, failure.reason, failure.retry_after_s) == (503, "queue-full", 1)
    case.isolate.tell_ready()
    assert len(case.isolate.exchanges) == len(waiting)
    case.ask()


@pytest.mark.parametrize("reason", [reason for reason in ExitReason if reason is not ExitReason.EXITED])
def test_requests_in_flight_hear_why_their_isolate_ended(reason: ExitReason) -> None:
    @on_virtual_time
    async def check() -> None:
        case = await slot_of().started()
        _, exchange = case.ask()
        case.isolate.exit(Exit(reason, message="the program's own words"))
        failure = exchange.failure
        assert failure is not None
        assert (failure.status, failure.reason) == (503, reason.value)
        assert "own words" not in str(failure)
        assert case.observer.ends[0].reason is reason

    check()


@on_virtual_time
async def test_after_a_failure_the_next_request_boots_a_fresh_isolate_at_once() -> None:
    case = await slot_of().started()
    case.isolate.exit(ExitReason.HEAP_LIMIT)
    assert case.slot.state.value == "backoff"
    number, exchange = case.ask()
    case.isolate.tell_ready()
    case.isolate.respond(number)
    assert exchange.parsed()[0] == 204
    assert case.slot.state.value == "running"


@on_virtual_time
async def test_a_task_that_keeps_failing_backs_off_and_says_when_to_come_again() -> None:
    case = await slot_of().started()
    waits: list[int] = []
    for _ in range(6):
        case.isolate.exit(ExitReason.HEAP_LIMIT)
        failure = case.failure_of_asking()
        if failure is not None:
            assert (failure.status, failure.reason) == (503, "backoff")
            assert failure.retry_after_s is not None
            waits.append(failure.retry_after_s)
            await asyncio.sleep(failure.retry_after_s)
            case.ask()
        case.isolate.tell_ready()
    assert waits == [1, 1, 2, 4, 8]


@on_virtual_time
async def test_failed_requests_say_when_to_come_again_if_the_task_has_to_wait() -> None:
    case = await slot_of().started()
    retries = []
    for _ in range(4):
        _, exchange = case.ask()
        if case.slot.isolate_state is IsolateState.BOOTING:
            case.isolate.tell_ready()
        case.isolate.exit(ExitReason.HEAP_LIMIT)
        assert exchange.failure is not None
        retries.append(exchange.failure.retry_after_s)
        await asyncio.sleep(10)
    assert retries == [None, 1, 1, 2]


@on_virtual_time
async def test_a_task_that_lived_long_is_not_held_to_its_old_failures() -> None:
    case = await slot_of().started()
    for _ in range(3):
        case.isolate.exit(ExitReason.HEAP_LIMIT)
        await asyncio.sleep(10)
        case.ask()
        case.isolate.tell_ready()
    await asyncio.sleep(61)
    case.isolate.exit(ExitReason.HEAP_LIMIT)
    case.ask()


@on_virtual_time
async def test_a_request_for_an_isolate_that_is_just_gone_is_answered_by_a_fresh_one() -> None:
    """Its thread is over, but the record that says so is still in the outbox."""
    case = await slot_of().started()
    case.isolate.vanish()
    number, exchange = case.ask()
    case.isolate.exit(ExitReason.HEAP_LIMIT)
    assert len(case.isolates.made) == 2
    case.isolate.tell_ready()
    case.isolate.respond(number)
    assert exchange.parsed()[0] == 204
    assert exchange.failure is None


@on_virtual_time
async def test_a_request_behind_one_that_failed_is_answered_by_a_fresh_isolate() -> None:
    """A connection with the next request in line asks from within failed()."""
    case = await slot_of().started()
    behind = FakeExchange()
    numbers: list[int] = []
    case.ask(FakeExchange(on_over=lambda: numbers.append(case.ask(behind)[0])))
    case.isolate.exit(ExitReason.HEAP_LIMIT)
    assert behind.failure is None
    case.isolate.tell_ready()
    case.isolate.respond(numbers[0])
    assert behind.parsed()[0] == 204


@on_virtual_time
async def test_those_in_line_that_an_isolate_never_took_wait_for_the_next_one() -> None:
    """It became ready and was over at once: its records come together."""
    case = await slot_of().started()
    case.isolate.exit(Exit(ExitReason.EXITED, code=0))
    asked = [case.ask() for _ in range(3)]
    case.isolate.vanish()
    case.isolate.tell_ready()
    case.isolate.exit(Exit(ExitReason.EXITED, code=0))
    (_, ahead), *others = asked
    assert ahead.failure is not None, "it was at the isolate that is over, and may have been begun"
    assert ahead.failure.reason == "exited"
    case.isolate.tell_ready()
    assert list(case.isolate.taken) == [number for number, _ in others]
    for number, exchange in others:
        case.isolate.respond(number)
        assert exchange.parsed()[0] == 204


@on_virtual_time
async def test_requests_that_wait_when_the_task_has_to_wait_hear_why_the_isolate_ended() -> None:
    case = await slot_of().started()
    for _ in range(2):
        case.isolate.exit(ExitReason.HEAP_LIMIT)
        await asyncio.sleep(1)
        case.ask()
        case.isolate.tell_ready()
    case.isolate.vanish()
    _, exchange = case.ask()
    case.isolate.exit(ExitReason.HEAP_LIMIT)
    assert exchange.failure is not None
    assert (exchange.failure.reason, exchange.failure.retry_after_s) == ("heap-limit", 1)


@on_virtual_time
async def test_console_lines_go_to_the_observer() -> None:
    case = await slot_of().started()
    case.isolate.listener.on_log(2, "wörds".encode())
    assert case.observer.console == [(2, "wörds".encode())]
