"""The last lines of tasks: bounded for each and for all, followed by readers that may be slow."""

from __future__ import annotations

import asyncio
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from supervisor.spec.views import LogChunk, LogLine
from supervisor.telemetry.logs import TENANT_LINE_BYTES
from supervisor.telemetry.tails import SAVED_BYTES, SAVED_LINES, Tails


def tails(**bounds: int) -> Tails:
    return Tails(lambda: 12.5, **bounds)


def texts(chunk: LogChunk) -> list[str]:
    return [line.text for line in chunk.lines]


def test_lines_of_programs_and_of_the_host() -> None:
    kept = tails()
    for level in (-1, 0, 1, 2, 3, 9):
        kept.console("a", level, b"hello")
    kept.host("a", 2, "careful", "req-1")
    chunk = kept.tail("a", 10)
    assert [line.level for line in chunk.lines] == [
        "debug", "debug", "info", "warning", "error", "error", "warning",
    ]  # fmt: skip
    assert chunk.lines[0] == LogLine(time=12.5, level="debug", source="console", text="hello")
    assert chunk.lines[-1] == LogLine(time=12.5, level="warning", source="host", text="careful", request="req-1")


def test_a_task_without_lines_has_none() -> None:
    assert tails().tail("a", 10) == LogChunk(lines=())


@pytest.mark.parametrize(("count", "found"), [(0, []), (2, ["3", "4"]), (5, ["0", "1", "2", "3", "4"]), (-1, [])])
def test_as_many_as_asked_for(count: int, found: list[str]) -> None:
    kept = tails()
    for number in range(5):
        kept.console("a", 1, b"%d" % number)
    assert texts(kept.tail("a", count)) == found


def test_only_the_last_are_kept_and_the_rest_counted() -> None:
    kept = tails(lines=3)
    for number in range(10):
        kept.console("a", 1, b"%d" % number)
    chunk = kept.tail("a", 100)
    assert texts(chunk) == ["7", "8", "9"]
    assert chunk.dropped == 7


def test_a_tail_is_bounded_in_bytes() -> None:
    kept = tails(size=10_000)
    for _ in range(100):
        kept.console("a", 1, b"x" * 1000)
        assert kept.bytes <= 10_000
    assert len(kept.tail("a", 100).lines) == 8  # 1,160 bytes each


def test_the_last_line_stays_whatever_its_size() -> None:
    kept = tails(size=10)
    kept.console("a", 1, b"x" * 100)
    assert texts(kept.tail("a", 1)) == ["x" * 100]


def test_a_line_is_cut_as_in_the_log() -> None:
    kept = tails()
    kept.console("a", 1, b"x" * (TENANT_LINE_BYTES + 1))
    assert "cut: 16385 bytes" in kept.tail("a", 1).lines[0].text


@given(st.binary())
def test_bytes_of_any_kind_come_back_as_text(payload: bytes) -> None:
    kept = tails()
    kept.console("a", 1, payload)
    assert texts(kept.tail("a", 1)) == [payload.decode(errors="replace")]


@given(st.text(st.characters(codec=None)))
def test_text_with_half_characters_is_kept(text: str) -> None:
    kept = tails()
    kept.host("a", 1, text)
    assert texts(kept.tail("a", 1)) == [text.encode(errors="replace").decode()]


def test_of_all_tasks_who_has_most_gives_most() -> None:
    """A task that floods its log takes nothing from its neighbours."""
    kept = tails(size_of_all=50_000)
    kept.console("quiet", 1, b"worth keeping")
    for _ in range(1000):
        kept.console("loud", 1, b"x" * 1000)
        assert kept.bytes <= 50_000
    assert texts(kept.tail("quiet", 10)) == ["worth keeping"]
    assert len(kept.tail("loud", 1000).lines) > 10


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 3000)), max_size=60))
def test_bytes_are_those_of_what_is_kept(writes: list[tuple[str, int]]) -> None:
    kept = tails(lines=5, size=8000, size_of_all=15_000)
    for task, size in writes:
        kept.console(task, 1, b"x" * size)
        assert kept.bytes == sum(ring.bytes for ring in kept._tails.values()) <= 15_000
    for task in "abc":
        kept.remove(task)
    assert kept.bytes == 0


async def test_followers_hear_what_comes_from_now_on() -> None:
    kept = tails()
    kept.console("a", 1, b"before")
    reader = kept.follow("a")
    kept.console("a", 1, b"after")
    kept.console("b", 1, b"elsewhere")
    assert (await anext(reader)).text == "after"
    waiting = asyncio.create_task(anext(reader))
    await asyncio.sleep(0)
    kept.host("a", 1, "later")
    assert (await waiting).text == "later"


async def test_a_slow_follower_is_told_what_it_missed() -> None:
    kept = tails(lines=3)
    reader = kept.follow("a")
    for number in range(10):
        kept.console("a", 1, b"%d" % number)
    note = await anext(reader)
    assert (note.source, note.level) == ("host", "warning")
    assert note.text == "7 lines were skipped: the reader is too slow"
    assert (await anext(reader)).text == "7"


async def test_a_removed_task_ends_its_followers() -> None:
    kept = tails()
    reader, neighbour = kept.follow("a"), kept.follow("b")
    waiting = asyncio.create_task(anext(reader, None))
    await asyncio.sleep(0)
    kept.remove("a")
    kept.remove("never there")
    assert await waiting is None
    kept.console("b", 1, b"goes on")
    assert (await anext(neighbour)).text == "goes on"


async def test_a_task_that_comes_back_begins_anew() -> None:
    kept = tails()
    kept.console("a", 1, b"old")
    kept.remove("a")
    kept.console("a", 1, b"new")
    assert kept.tail("a", 10) == LogChunk(lines=(LogLine(time=12.5, level="info", source="console", text="new"),))


async def test_the_close_ends_all_followers() -> None:
    kept = tails()
    readers = [kept.follow("a"), kept.follow("b")]
    kept.close()
    assert [await anext(reader, None) for reader in readers] == [None, None]


def test_the_last_lines_go_to_the_next_process_before_its_own() -> None:
    first, second = tails(), tails()
    for number in range(SAVED_LINES + 20):
        first.console("a", 1, str(number).encode())
    first.host("b", 2, "why", "req-1")
    second.console("a", 1, b"its own")
    second.restore(json.loads(json.dumps(first.saved())))
    assert texts(second.tail("a", 1000)) == [*map(str, range(20, SAVED_LINES + 20)), "its own"]
    assert second.tail("a", 1000).dropped == 20
    assert second.tail("b", 10) == first.tail("b", 10)
    second.restore({})
    assert second.bytes == sum(ring.bytes for ring in second._tails.values())


def test_what_goes_to_the_next_process_is_bounded() -> None:
    kept = tails()
    for task in range(50):
        for _ in range(SAVED_LINES):
            kept.console(f"task-{task}", 1, b"x" * 4000)
    assert len(json.dumps(kept.saved())) < 1.1 * SAVED_BYTES
    assert all(lines for _, lines in kept.saved().values())
