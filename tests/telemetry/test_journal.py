"""Events: numbered without gaps, kept for a while, read by many who each go at their own pace."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing

import pytest

from supervisor.spec.events import Event, EventKind
from supervisor.telemetry.journal import Journal


def journal(*, start: int = 1, kept: int = 10_000, events: int = 0) -> Journal:
    made = Journal(lambda: 12.5, start=start, kept=kept)
    for _ in range(events):
        made.record(EventKind.STATE, "x", task="t")
    return made


async def some(reader: AsyncIterator[Event], count: int) -> list[Event]:
    async with asyncio.timeout(10):
        return [await anext(reader) for _ in range(count)]


async def numbers(reader: AsyncIterator[Event], count: int) -> list[int]:
    return [event.number for event in await some(reader, count)]


def test_an_event_has_what_it_was_given() -> None:
    event = journal(start=7).record(EventKind.EXIT, "it ended", task="shop", reason="idle", limit=None)
    assert event == Event(
        number=7, time=12.5, kind=EventKind.EXIT, task="shop", message="it ended", details={"reason": "idle"}
    )


def test_a_successor_goes_on_counting() -> None:
    first = journal(events=3)
    second = journal(start=first.next_number)
    assert second.record(EventKind.HOST, "x").number == 4


@pytest.mark.parametrize("start", [0, -5])
def test_numbers_begin_above_nothing(start: int) -> None:
    assert journal(start=start).record(EventKind.HOST, "x").number == 1


def test_only_the_last_are_kept() -> None:
    full = journal(kept=3, events=5)
    assert [event.number for event in full.recent(10)] == [3, 4, 5]
    assert [event.number for event in full.recent(2)] == [4, 5]
    assert full.recent(0) == []


async def test_without_a_number_only_new_ones_come() -> None:
    live = journal(events=2)
    reader = live.subscribe()
    live.record(EventKind.HOST, "new")
    assert await numbers(reader, 1) == [3]


@pytest.mark.parametrize(("after", "found"), [(0, [1, 2, 3, 4]), (2, [3, 4]), (3, [4]), (-9, [1, 2, 3, 4])])
async def test_with_one_those_after_it_come_first(after: int, found: list[int]) -> None:
    live = journal(events=3)
    reader = live.subscribe(after)
    live.record(EventKind.HOST, "new")
    assert await numbers(reader, len(found)) == found


async def test_a_number_of_an_earlier_life_gets_everything_that_is_kept() -> None:
    assert await numbers(journal(events=2).subscribe(999), 2) == [1, 2]


async def test_what_is_gone_is_told_in_its_place() -> None:
    live = journal(kept=3, events=10)
    gap, *rest = await some(live.subscribe(2), 4)
    assert (gap.kind, gap.number, gap.details) == (EventKind.HOST, 7, {"missed": 5})
    assert gap.message == "5 events are not kept any more"
    assert [event.number for event in rest] == [8, 9, 10]


@pytest.mark.parametrize(
    ("after", "missed", "found"),
    [(3, None, [1000, 1001]), (500, None, [1000, 1001]), (1000, None, [1001]), (1, 2, [999, 1000, 1001])],
)
async def test_numbers_that_no_event_has_are_not_missed(after: int, missed: int | None, found: list[int]) -> None:
    successor = journal(start=1000)
    successor.record(EventKind.STATE, "while it boots")
    successor.follow(3)  # the last number of the one before
    successor.record(EventKind.STATE, "x")
    events = await some(successor.subscribe(after), len(found))
    assert [event.number for event in events] == found
    assert events[0].details.get("missed") == missed


async def test_who_comes_back_after_a_gap_goes_on_where_it_was() -> None:
    live = journal(kept=3, events=10)
    (gap,) = await some(live.subscribe(2), 1)
    assert await numbers(live.subscribe(gap.number), 3) == [8, 9, 10]


async def test_a_slow_reader_skips_and_a_fast_one_does_not() -> None:
    live = journal(kept=3)
    slow, fast = live.subscribe(), live.subscribe()
    seen = []
    for _ in range(10):
        live.record(EventKind.STATE, "x")
        seen += await numbers(fast, 1)
    assert seen == list(range(1, 11))
    assert [(event.number, event.details) for event in await some(slow, 2)] == [(7, {"missed": 7}), (8, {})]


async def test_all_who_wait_are_woken() -> None:
    live = journal()
    waiting = [asyncio.create_task(numbers(live.subscribe(), 1)) for _ in range(20)]
    await asyncio.sleep(0)
    live.record(EventKind.HOST, "x")
    assert await asyncio.gather(*waiting) == [[1]] * 20


async def test_a_wait_that_is_cancelled_loses_nothing() -> None:
    """Keep-alive comments of an event stream are sent from a wait that times out."""
    live = journal()
    reader, other = live.subscribe(), asyncio.create_task(numbers(live.subscribe(), 2))
    await asyncio.sleep(0)
    waiting = asyncio.create_task(anext(reader))
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    live.record(EventKind.HOST, "a")
    live.record(EventKind.HOST, "b")
    assert await numbers(reader, 2) == [1, 2]
    assert await other == [1, 2]


async def test_the_close_ends_readers_after_what_is_there() -> None:
    live = journal(events=2)
    waiting = asyncio.create_task(anext(live.subscribe(), None))
    await asyncio.sleep(0)
    late = live.subscribe(0)
    live.close()
    assert await waiting is None
    assert [event.number async for event in late] == [1, 2]


async def test_a_reader_that_is_closed_is_at_the_end() -> None:
    live = journal(events=2)
    async with aclosing(live.subscribe(0)) as reader:
        assert await numbers(reader, 1) == [1]
    assert [event async for event in reader] == []


async def test_closing_a_reader_ends_the_wait_for_its_next_event() -> None:
    live = journal()
    reader, other = live.subscribe(), asyncio.create_task(numbers(live.subscribe(), 1))
    waiting = asyncio.create_task(anext(reader, None))
    await asyncio.sleep(0)
    await reader.aclose()
    async with asyncio.timeout(10):
        assert await waiting is None
    live.record(EventKind.HOST, "for the other")
    assert await other == [1]


async def test_readers_that_are_gone_leave_nothing() -> None:
    live = journal()
    for _ in range(100):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0):
                await anext(live.subscribe())
    assert not live._ring._waiting
