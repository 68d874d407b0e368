"""What happens to tasks, told to everybody who wants to know: the log, the events, each task's tail, the metrics."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence

from supervisor.pool.blocked import Block
from supervisor.pool.states import TaskState
from supervisor.spec.events import EventKind
from supervisor.spec.exits import Exit
from supervisor.spec.histogram import Histogram
from supervisor.telemetry.consolerate import LINES_PER_S, ConsoleRate
from supervisor.telemetry.journal import Journal
from supervisor.telemetry.logs import task_log
from supervisor.telemetry.tails import Tails
from supervisor.telemetry.tasks import TaskLog, Told

INFO, WARNING, ERROR = 1, 2, 3  # the engine's levels


class TaskStory:
    """A SlotObserver for a host that keeps events and tails. Loop thread."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        journal: Journal,
        tails: Tails,
        *,
        console_per_s: float | None = LINES_PER_S,
    ) -> None:
        self.boots = Histogram()  # of all tasks
        self._log = TaskLog()
        self._journal = journal
        self._tails = tails
        self._console = ConsoleRate(loop, self._on_dropped, per_s=console_per_s)
        self._exits: dict[str, Counter[str]] = {}

    def exits(self, task: str) -> dict[str, int]:
        """How many of its isolates ended, by reason."""
        return dict(self._exits.get(task, ()))

    def console_dropped(self, task: str) -> int:
        """How many of its console lines were dropped."""
        return self._console.dropped(task)

    def forget(self, task: str) -> None:
        """A task was removed: whoever follows its log is at the end."""
        self._console.remove(task)
        self._tails.remove(task)
        self._exits.pop(task, None)

    def close(self) -> None:
        """Tells what is left to tell; readers of events and lines are at the end."""
        self._console.close()
        self._tails.close()
        self._journal.close()

    def on_state(self, slot: Told, before: TaskState, after: TaskState, why: str) -> None:
        """It went to another state."""
        message = f"{before.value} -> {after.value}: {why}" if why else f"{before.value} -> {after.value}"
        self._journal.record(
            EventKind.STATE, message, task=slot.task_id, state=after.value, before=before.value, why=why or None
        )

    def on_ready(self, slot: Told, milliseconds: float) -> None:
        """Its isolate is ready."""
        self.boots.observe(milliseconds / 1000)
        self._log.on_ready(slot, milliseconds)

    def on_console(self, slot: Told, level: int, text: bytes) -> None:
        """It wrote a console line; dropped if there were too many lately."""
        if self._console.admits(slot.task_id, text):
            self._log.on_console(slot, level, text)
            self._tails.console(slot.task_id, level, text)

    def on_handler_error(self, slot: Told, message: str, request: str | None = None) -> None:
        """It failed to answer a request."""
        self._log.on_handler_error(slot, message, request)
        self._tails.host(slot.task_id, ERROR, f"request failed\n{message}", request)

    def on_late(self, slot: Told, count: int, requests: Sequence[str] = ()) -> None:
        """It did not answer requests in time; `requests` are the ids of those that had one."""
        self._log.on_late(slot, count, requests)
        text = f"{count} requests were not answered within limits.cpu.wall"
        if not requests:
            self._tails.host(slot.task_id, WARNING, text)
        for request in requests:
            self._tails.host(slot.task_id, WARNING, "a request was not answered within limits.cpu.wall", request)
        self._journal.record(EventKind.LATE, text, task=slot.task_id, count=count, requests=list(requests) or None)

    def on_end(self, slot: Told, end: Exit) -> None:
        """Its isolate is over."""
        self._exits.setdefault(slot.task_id, Counter())[end.reason.value] += 1
        self._log.on_end(slot, end)
        text = end.describe()
        self._tails.host(slot.task_id, ERROR if end.failed else INFO, text)
        self._journal.record(
            EventKind.EXIT,
            text,
            task=slot.task_id,
            reason=end.reason.value,
            limit=end.limit,
            measured=end.measured,
            unit=end.unit,
            code=end.code,
        )

    def on_blocked(self, slot: Told, block: Block) -> None:
        """Its script is not started again for now."""
        self._log.on_blocked(slot, block)
        lasts_s = round(block.until - block.since)
        text = f"blocked for {lasts_s} s: its script had to be stopped by force ({block.reason})"
        self._tails.host(slot.task_id, ERROR, text)
        self._journal.record(
            EventKind.BLOCKED, text, task=slot.task_id, sources=block.sources, reason=block.reason, lasts_s=lasts_s
        )

    def on_released(self, block: Block) -> None:
        """A block was lifted."""
        text = "released: its script may be started again"
        task_log(block.task_id).info(text, sources=block.sources)
        self._tails.host(block.task_id, INFO, text)
        self._journal.record(EventKind.RELEASED, text, task=block.task_id, sources=block.sources)

    def _on_dropped(self, task: str, lines: int) -> None:
        text = "console lines dropped: too many at once"
        task_log(task).warning(text, count=lines)
        self._tails.host(task, WARNING, f"{text} ({lines})")
