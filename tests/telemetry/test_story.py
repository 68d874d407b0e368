"""What happens to a task is told to all: its log, its tail, the events, the metrics."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from supervisor.pool.blocked import Block
from supervisor.pool.states import TaskState
from supervisor.spec.events import Event, EventKind
from supervisor.spec.exits import Exit, ExitReason
from supervisor.spec.task import TaskSpec
from supervisor.telemetry.journal import Journal
from supervisor.telemetry.logs import logging_to
from supervisor.telemetry.story import TaskStory
from supervisor.telemetry.tails import Tails
from supervisor.telemetry.tasks import Told
from tests.fakes.virtual_time import on_virtual_time

BLOCK = Block("ab" * 32, "t", "unresponsive", 10.0, 3610.0)
HEAP = Exit(ExitReason.HEAP_LIMIT, limit=1000.0, measured=1200.0)


@dataclass(frozen=True)
class Task:
    """Stands for a slot."""

    task_id: str
    spec: TaskSpec


@dataclass
class Heard:
    """All that was told in one go."""

    log: list[dict[str, Any]] = field(default_factory=list)
    lines: list[tuple[str, str, str, str | None]] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)

    @property
    def event(self) -> Event:
        (event,) = self.events
        return event


async def hear(say: Callable[[TaskStory, Told], object], *, for_s: float = 0.0) -> Heard:
    """What `say` leads to, within so much time."""
    journal, tails = Journal(lambda: 12.5), Tails(lambda: 12.5)
    story = TaskStory(asyncio.get_running_loop(), journal, tails, console_per_s=10)
    slot = Task("t", TaskSpec.model_validate({"taskId": "t", "mainPath": "a.js", "pwd": "/tmp"}))
    memory = os.memfd_create("log")  # a pipe does not hold a flood
    with logging_to(memory, form="json", level="debug"):
        say(story, slot)
        await asyncio.sleep(for_s)
    log = [json.loads(line) for line in os.pread(memory, 2**24, 0).splitlines()]
    os.close(memory)
    chunk = tails.tail("t", 5000)
    lines = [(line.level, line.source, line.text, line.request) for line in chunk.lines]
    return Heard(log, lines, journal.recent(100))


@on_virtual_time
async def test_a_transition_is_an_event() -> None:
    heard = await hear(lambda story, slot: story.on_state(slot, TaskState.RUNNING, TaskState.IDLE, "nothing to do"))
    assert heard.event.kind is EventKind.STATE
    assert (heard.event.task, heard.event.message) == ("t", "running -> idle: nothing to do")
    assert heard.event.details == {"state": "idle", "before": "running", "why": "nothing to do"}


@on_virtual_time
async def test_a_transition_without_a_reason() -> None:
    heard = await hear(lambda story, slot: story.on_state(slot, TaskState.IDLE, TaskState.PENDING, ""))
    assert heard.event.message == "idle -> pending"
    assert heard.event.details == {"state": "pending", "before": "idle"}


@on_virtual_time
async def test_an_end_is_a_line_an_event_and_a_count() -> None:
    counts = {}

    def say(story: TaskStory, slot: Told) -> None:
        assert story.exits("t") == {}
        story.on_end(slot, HEAP)
        counts.update(story.exits("t"))

    heard = await hear(say)
    assert counts == {"heap-limit": 1}
    assert heard.event.kind is EventKind.EXIT
    assert heard.event.details == {"reason": "heap-limit", "limit": 1000.0, "measured": 1200.0, "unit": "bytes"}
    assert heard.lines == [("error", "host", HEAP.describe(), None)]
    assert heard.log[0]["reason"] == "heap-limit"


@on_virtual_time
async def test_an_orderly_end_is_no_error() -> None:
    heard = await hear(lambda story, slot: story.on_end(slot, Exit(ExitReason.IDLE)))
    assert heard.lines[0][0] == heard.log[0]["level"] == "info"


@on_virtual_time
@pytest.mark.parametrize("request_id", ["req-1", None])
async def test_a_failed_request_is_found_by_its_id(request_id: str | None) -> None:
    heard = await hear(lambda story, slot: story.on_handler_error(slot, "Error: x\n  at y", request_id))
    assert heard.log[0].get("request") == request_id
    assert ("request" in heard.log[0]) is (request_id is not None)
    assert heard.lines == [("error", "host", "request failed\nError: x\n  at y", request_id)]


@on_virtual_time
async def test_late_requests_are_found_by_their_ids() -> None:
    heard = await hear(lambda story, slot: story.on_late(slot, 3, ("r1", "r2")))
    assert heard.event.kind is EventKind.LATE
    assert heard.event.details == {"count": 3, "requests": ["r1", "r2"]}
    assert (heard.log[0]["count"], heard.log[0]["requests"]) == (3, "r1 r2")
    assert [line[3] for line in heard.lines] == ["r1", "r2"]


@on_virtual_time
async def test_late_requests_without_ids_are_counted() -> None:
    heard = await hear(lambda story, slot: story.on_late(slot, 3))
    assert heard.event.details == {"count": 3}
    assert "requests" not in heard.log[0]
    assert heard.lines == [("warning", "host", "3 requests were not answered within limits.cpu.wall", None)]


@on_virtual_time
async def test_a_block_and_its_release() -> None:
    def say(story: TaskStory, slot: Told) -> None:
        story.on_blocked(slot, BLOCK)
        story.on_released(BLOCK)

    heard = await hear(say)
    assert [event.kind for event in heard.events] == [EventKind.BLOCKED, EventKind.RELEASED]
    assert heard.events[0].details == {"sources": BLOCK.sources, "reason": "unresponsive", "lasts_s": 3600}
    assert [line["task"] for line in heard.log] == ["t", "t"]
    assert [line[0] for line in heard.lines] == ["error", "info"]


@on_virtual_time
async def test_a_boot_is_measured() -> None:
    stories = []

    def say(story: TaskStory, slot: Told) -> None:
        stories.append(story)
        story.on_ready(slot, 3.0)

    heard = await hear(say)
    assert (stories[0].boots.total, stories[0].boots.sum) == (1, 0.003)
    assert heard.log[0]["event"] == "booted"


@on_virtual_time
async def test_a_flood_of_console_lines_is_cut_told_and_counted() -> None:
    dropped = []

    def say(story: TaskStory, slot: Told) -> None:
        for _ in range(1500):
            story.on_console(slot, 1, b"x")
        dropped.append(story.console_dropped("t"))

    heard = await hear(say, for_s=1.1)
    assert dropped == [500]
    assert sum(line["event"] == "x" for line in heard.log) == 1000
    (note,) = [line for line in heard.log if "dropped" in line["event"]]
    assert (note["task"], note["count"], note["level"]) == ("t", 500, "warning")
    assert heard.lines[-1] == ("warning", "host", "console lines dropped: too many at once (500)", None)


@on_virtual_time
async def test_a_removed_task_leaves_nothing() -> None:
    def say(story: TaskStory, slot: Told) -> None:
        story.on_end(slot, HEAP)
        story.on_console(slot, 1, b"x")
        story.forget("t")
        story.forget("never there")
        assert (story.exits("t"), story.console_dropped("t")) == ({}, 0)

    assert (await hear(say)).lines == []


@on_virtual_time
async def test_the_close_ends_all_readers() -> None:
    loop = asyncio.get_running_loop()
    journal, tails = Journal(loop.time), Tails(loop.time)
    story = TaskStory(loop, journal, tails)
    events, lines = journal.subscribe(), tails.follow("t")
    story.close()
    assert await anext(events, None) is None
    assert await anext(lines, None) is None
