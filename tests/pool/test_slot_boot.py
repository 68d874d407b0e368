"""A task's start: ready, refused, failed, too slow, or over in good order."""

from __future__ import annotations

import asyncio

import pytest

from supervisor.engine.isolate import End
from supervisor.errors import BootError, EngineError, Place
from supervisor.pool.states import TaskState
from supervisor.spec.exits import ErrorPlace, Exit, ExitReason
from tests.fakes.virtual_time import on_virtual_time
from tests.pool.slots import STARTUP_MS, WALL_MS, slot_of, task


async def starting(case: object) -> asyncio.Task[None]:
    begun = asyncio.create_task(case.slot.start())  # type: ignore[attr-defined]
    await asyncio.sleep(0)
    return begun


@on_virtual_time
async def test_start_returns_when_the_isolate_is_ready_and_says_so_once() -> None:
    case = slot_of()
    start = await starting(case)
    assert not start.done()
    assert case.isolate.life.spec is case.slot.spec
    case.isolate.tell_warm()
    case.isolate.tell_ready()
    await start
    assert case.observer.ready == [2.0]


@on_virtual_time
async def test_a_main_module_that_throws_is_a_boot_error_with_its_place() -> None:
    case = slot_of()
    start = await starting(case)
    where = ErrorPlace("Error: boom", "/tmp/a.js", Place(2, 7, "throw 1"), "Error: boom\n    at a.js:2:7")
    case.isolate.exit(Exit(ExitReason.UNCAUGHT, error=where))
    with pytest.raises(BootError) as caught:
        await start
    text = str(caught.value)
    for part in ("task t did not start: Error: boom", "/tmp/a.js:2:7", "throw 1", "at a.js:2:7"):
        assert part in text
    assert case.slot.state is TaskState.BACKOFF
    assert not case.observer.ends, "who starts it tells it: once is enough"


@on_virtual_time
async def test_a_limit_reached_at_boot_is_a_boot_error_that_names_it() -> None:
    case = slot_of()
    start = await starting(case)
    case.isolate.exit(Exit(ExitReason.HEAP_LIMIT, limit=10 * 2**20, measured=11 * 2**20))
    with pytest.raises(BootError, match=r"heap-limit.*measured 11 MiB, limit 10 MiB"):
        await start


@on_virtual_time
async def test_a_task_that_listens_must_handle_requests() -> None:
    case = slot_of()
    start = await starting(case)
    case.isolate.tell_ready(has_handler=False)
    assert case.isolate.life.asked_to_end == [End.KILLED]
    case.isolate.obey()
    with pytest.raises(BootError, match="handles no requests") as caught:
        await start
    assert "export default" in str(caught.value)
    assert not case.observer.ends, "who starts it tells it: once is enough"


@pytest.mark.parametrize("end", [Exit(ExitReason.KILLED), Exit(ExitReason.EXITED, code=0)])
def test_a_task_without_a_handler_ends_for_that_and_backs_off(end: Exit) -> None:
    @on_virtual_time
    async def check() -> None:
        case = slot_of()
        for _ in range(2):
            case.ask()
            case.isolate.tell_ready(has_handler=False)
            case.isolate.exit(end)
        assert {each.reason for each in case.observer.ends} == {ExitReason.NO_HANDLER}
        assert case.observer.ends[0].describe().endswith("its main module handles no requests")
        assert case.slot.state is TaskState.BACKOFF
        assert case.refusal().reason == "backoff"

    check()


@on_virtual_time
async def test_what_else_ends_a_task_without_a_handler_is_told_as_it_is() -> None:
    case = slot_of()
    case.ask()
    case.isolate.tell_ready(has_handler=False)
    case.isolate.exit(Exit(ExitReason.ABORTED, parked=True, sources="c" * 64))
    assert case.observer.ends[0].reason is ExitReason.ABORTED
    assert case.slot.state is TaskState.BLOCKED


@on_virtual_time
async def test_a_task_that_does_not_listen_need_not_handle_requests() -> None:
    case = slot_of(task(listen=[]))
    start = await starting(case)
    case.isolate.tell_ready(has_handler=False)
    await start
    assert case.slot.state is TaskState.RUNNING


@pytest.mark.parametrize("code", [0, 3])
def test_a_task_that_does_not_listen_may_end_at_boot_with_any_code(code: int) -> None:
    @on_virtual_time
    async def check() -> None:
        case = slot_of(task(listen=[]))
        start = await starting(case)
        case.isolate.exit(Exit(ExitReason.EXITED, code=code))
        await start
        assert case.observer.ends[0].code == code

    check()


@pytest.mark.parametrize("code", [0, 3])
def test_a_task_that_listens_and_ends_at_boot_did_not_start(code: int) -> None:
    @on_virtual_time
    async def check() -> None:
        case = slot_of()
        start = await starting(case)
        case.isolate.exit(Exit(ExitReason.EXITED, code=code))
        with pytest.raises(BootError, match=f"the program ended with code {code}"):
            await start

    check()


@on_virtual_time
async def test_the_cpu_time_of_a_boot_is_the_engines_business_and_its_figures_are_told() -> None:
    case = slot_of(task(limits={"cpu": {"startup": STARTUP_MS, "wall": None}}))
    start = await starting(case)
    await asyncio.sleep(1e6)
    assert not case.isolate.life.asked_to_end
    case.isolate.exit(Exit(ExitReason.STARTUP_LIMIT, limit=STARTUP_MS, measured=1200.0))
    with pytest.raises(BootError, match=r"startup-limit.*measured 1200 ms, limit 1000 ms|startup-limit.*1\.2 s.*1 s"):
        await start


@on_virtual_time
async def test_a_boot_that_never_ends_is_ended_after_the_wall_limit_and_says_that_limit() -> None:
    case = slot_of()
    start = await starting(case)
    await asyncio.sleep(WALL_MS / 1000 + 0.01)
    assert len(case.isolate.life.asked_to_end) == 1
    case.isolate.obey()
    with pytest.raises(BootError, match=r"limit 300 ms"):
        await start


@on_virtual_time
async def test_no_limits_no_watch() -> None:
    case = slot_of(task(limits={"cpu": {"startup": None, "wall": None}}))
    start = await starting(case)
    await asyncio.sleep(1e6)
    assert not case.isolate.life.asked_to_end
    case.isolate.tell_ready()
    await start


@on_virtual_time
async def test_a_ready_task_is_not_watched_as_a_boot() -> None:
    case = await slot_of().started()
    await asyncio.sleep(100)
    assert not case.isolate.life.asked_to_end


@on_virtual_time
async def test_no_thread_for_the_first_start() -> None:
    case = slot_of(threads_left=0)
    with pytest.raises(EngineError, match="cannot start a thread"):
        await case.slot.start()
    assert case.slot.state is TaskState.BACKOFF


@on_virtual_time
async def test_no_thread_for_a_later_boot_refuses_the_request_and_tries_again_later() -> None:
    case = await slot_of(threads_left=1).started()
    case.isolate.exit(Exit(ExitReason.EXITED, code=0))
    for wait_s in (0, 0, 0, 10):
        await asyncio.sleep(wait_s)
        _, exchange = case.ask()
        await asyncio.sleep(1 / 1000)
        assert exchange.failure is not None
        assert (exchange.failure.status, exchange.failure.reason) == (503, "no-thread")
        if exchange.failure.retry_after_s:
            break
    assert case.refusal().reason == "backoff"
    case.isolates.threads_left = 1
    await asyncio.sleep(100)
    number, exchange = case.ask()
    case.isolate.tell_ready()
    case.isolate.respond(number)
    assert exchange.parsed()[0] == 204


@on_virtual_time
async def test_waiting_requests_hear_that_a_later_boot_failed() -> None:
    case = await slot_of().started()
    case.isolate.exit(Exit(ExitReason.EXITED, code=0))
    exchanges = [case.ask()[1] for _ in range(2)]
    case.isolate.exit(Exit(ExitReason.UNCAUGHT, message="boom"))
    for exchange in exchanges:
        assert exchange.failure is not None
        assert (exchange.failure.status, exchange.failure.reason) == (503, "uncaught")
