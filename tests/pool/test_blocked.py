"""Scripts that are not started again: the list, and tasks whose sources are on it."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from supervisor.engine.isolate import End
from supervisor.errors import BootError
from supervisor.pool.blocked import BLOCKED_FOR_S, LOOK_AGAIN_S, MOST_BLOCKS, BlockList, SavedBlock
from supervisor.pool.states import TaskState
from supervisor.spec.exits import Exit, ExitReason
from tests.fakes.virtual_time import on_virtual_time
from tests.pool.slots import Case, slot_of

BAD, GOOD = "b" * 64, "a" * 64
PARKED = [ExitReason.ABORTED, ExitReason.UNRESPONSIVE, ExitReason.HEAP_LIMIT]


def test_a_block_holds_until_it_expires() -> None:
    blocks = BlockList(lasts_s=10)
    block = blocks.add(BAD, task_id="t", reason="aborted", now=5)
    assert (block.task_id, block.reason, block.since, block.until) == ("t", "aborted", 5, 15)
    assert blocks.find(BAD, 14.9) is block
    assert block.left_s(14) == 1
    assert blocks.find(BAD, 15) is None
    assert blocks.find(GOOD, 5) is None
    assert blocks.next_end() == 15
    assert blocks.take_expired(14.9) == ()
    assert blocks.take_expired(15) == (block,)
    assert blocks.blocks() == ()
    assert blocks.next_end() is None
    assert block.left_s(16) == 0


@pytest.mark.parametrize("which", [BAD, BAD[:8], "t"])
def test_a_block_is_released_by_hash_or_by_task(which: str) -> None:
    blocks = BlockList()
    block = blocks.add(BAD, task_id="t", reason="aborted", now=0)
    other = blocks.add(GOOD, task_id="u", reason="aborted", now=0)
    assert blocks.release(which) == (block,)
    assert blocks.release(which) == ()
    assert blocks.release("a" * 7) == (), "too short to mean one"
    assert blocks.blocks() == (other,)


@given(st.lists(st.tuples(st.integers(0, 5), st.sampled_from("abc"))))
def test_the_list_is_what_the_last_block_of_each_hash_says(added: list[tuple[int, str]]) -> None:
    blocks, now, last = BlockList(lasts_s=10), 0, {}
    for step, sources in added:
        now += step
        last[sources] = blocks.add(sources, task_id="t", reason="aborted", now=now)
    blocks.take_expired(now)
    assert set(blocks.blocks()) == {block for block in last.values() if block.until > now}
    for sources, block in last.items():
        assert blocks.find(sources, now) is (block if block.until > now else None)


def test_the_list_is_bounded_and_lets_go_of_the_oldest() -> None:
    blocks = BlockList()
    for number in range(MOST_BLOCKS + 1):
        blocks.add(str(number), task_id="t", reason="aborted", now=0)
    assert [block.sources for block in blocks.take_expired(1)] == ["0"]
    assert blocks.find("0", 1) is None
    assert len(blocks.blocks()) == MOST_BLOCKS


def test_blocks_of_an_earlier_process_go_on_for_what_was_left() -> None:
    blocks = BlockList(lasts_s=100)
    saved = [SavedBlock(GOOD, "u", "aborted", 10, 90), SavedBlock(BAD, "t", "aborted", 60, 40)]
    blocks.load([*saved, SavedBlock("c" * 64, "v", "aborted", 100, 0)], now=1000)
    assert [(block.sources, block.since, block.until) for block in blocks.blocks()] == [
        (BAD, 940, 1040), (GOOD, 990, 1090)
    ]  # fmt: skip


def test_a_clock_that_was_wrong_blocks_nothing_for_longer_than_a_new_block() -> None:
    blocks = BlockList(lasts_s=100)
    blocks.load([SavedBlock(BAD, "t", "aborted", -1e9, 1e9)], now=0)
    assert blocks.find(BAD, 99) is not None
    assert blocks.find(BAD, 100) is None


async def blocked_case(reason: ExitReason = ExitReason.ABORTED) -> Case:
    """A task whose script parked its thread."""
    case = await slot_of().started()
    case.isolate.exit(Exit(reason, parked=True, sources=BAD))
    return case


@pytest.mark.parametrize("reason", PARKED)
def test_a_script_whose_thread_was_parked_is_blocked(reason: ExitReason) -> None:
    @on_virtual_time
    async def check() -> None:
        case = await slot_of().started()
        _, exchange = case.ask()
        case.isolate.exit(Exit(reason, parked=True, sources=BAD))
        assert case.slot.state is TaskState.BLOCKED
        assert [(block.sources, block.reason) for block in case.observer.blocks] == [(BAD, reason.value)]
        assert exchange.failure is not None
        assert (exchange.failure.reason, exchange.failure.retry_after_s) == (reason.value, BLOCKED_FOR_S)
        failure = case.refusal()
        assert (failure.status, failure.reason, failure.retry_after_s) == (503, "blocked", BLOCKED_FOR_S)
        assert reason.value in failure.detail
        assert len(case.isolates.made) == 1

    check()


@pytest.mark.parametrize("reason", ExitReason)
def test_ends_of_which_the_process_keeps_nothing_block_nothing(reason: ExitReason) -> None:
    @on_virtual_time
    async def check() -> None:
        case = await slot_of().started()
        case.isolate.exit(Exit(reason, sources=BAD))
        assert case.slot.state is not TaskState.BLOCKED
        assert not case.observer.blocks

    check()


@on_virtual_time
async def test_without_sources_there_is_nothing_to_block() -> None:
    case = await slot_of().started()
    case.isolate.exit(Exit(ExitReason.ABORTED, parked=True))  # before anything was loaded
    assert case.slot.state is TaskState.BACKOFF


@on_virtual_time
async def test_now_and_then_it_is_booted_to_see_whether_its_files_changed() -> None:
    case = await blocked_case()
    await asyncio.sleep(LOOK_AGAIN_S)
    _, exchange = case.ask()
    assert case.isolate.life.blocked == (BAD,), "the engine refuses to run them"
    case.isolate.exit(Exit(ExitReason.BLOCKED, sources=BAD))
    assert exchange.failure is not None
    assert (exchange.failure.reason, exchange.failure.retry_after_s) == ("blocked", BLOCKED_FOR_S - LOOK_AGAIN_S)
    assert case.slot.state is TaskState.BLOCKED
    assert case.refusal().reason == "blocked"
    assert len(case.isolates.made) == 2
    assert len(case.observer.blocks) == 1, "only the first time is news"


@on_virtual_time
async def test_it_serves_again_once_its_files_changed() -> None:
    case = await blocked_case()
    await asyncio.sleep(LOOK_AGAIN_S)
    number, exchange = case.ask()
    case.isolate.tell_ready()
    case.isolate.respond(number)
    assert exchange.parsed()[0] == 204
    assert case.slot.state is TaskState.RUNNING


@pytest.mark.parametrize("how", ["expired", BAD, "t"])
def test_it_serves_again_once_the_block_is_over(how: str) -> None:
    @on_virtual_time
    async def check() -> None:
        case = await blocked_case()
        if how == "expired":
            await asyncio.sleep(BLOCKED_FOR_S)
        else:
            assert case.blocks.release(how)
        assert case.slot.state is TaskState.IDLE
        number, exchange = case.ask()
        assert case.isolate.life.blocked == ()
        case.isolate.tell_ready()
        case.isolate.respond(number)
        assert exchange.parsed()[0] == 204

    check()


@on_virtual_time
async def test_the_same_sources_of_another_task_are_blocked_too() -> None:
    case = slot_of()
    case.blocks.add(BAD, task_id="another", reason="aborted")
    start = asyncio.create_task(case.slot.start())
    await asyncio.sleep(0)
    assert case.isolate.life.blocked == (BAD,)
    case.isolate.exit(Exit(ExitReason.BLOCKED, sources=BAD))
    with pytest.raises(BootError, match="blocked on this host"):
        await start
    assert case.slot.state is TaskState.BLOCKED


@on_virtual_time
async def test_a_request_behind_one_that_parked_the_thread_boots_nothing() -> None:
    case = await slot_of().started()
    case.isolate.vanish()
    _, exchange = case.ask()
    case.isolate.exit(Exit(ExitReason.UNRESPONSIVE, parked=True, sources=BAD))
    assert len(case.isolates.made) == 1
    assert exchange.failure is not None
    assert exchange.failure.reason == "unresponsive"


@on_virtual_time
async def test_a_block_that_ends_while_the_engine_looks_is_an_ordinary_failure() -> None:
    case = await blocked_case()
    await asyncio.sleep(LOOK_AGAIN_S)
    case.ask()
    case.blocks.release(BAD)
    case.isolate.exit(Exit(ExitReason.BLOCKED, sources=BAD))
    assert case.slot.state is TaskState.BACKOFF


@on_virtual_time
async def test_a_blocked_task_is_stopped() -> None:
    case = await blocked_case()
    await case.slot.stop(1)
    assert case.slot.state is TaskState.STOPPED
    assert End.DRAINED not in case.isolate.life.asked_to_end
