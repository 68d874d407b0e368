"""What happens to tasks, as lines in the host's log."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from supervisor.pool.blocked import Block
from supervisor.spec.exits import Exit
from supervisor.spec.taint import Taint
from supervisor.spec.task import TaskSpec
from supervisor.telemetry.logs import host_log, task_log, tenant_line

MIB = 2**20


class Told(Protocol):
    """What is told of: a slot, of which only this is looked at."""

    @property
    def task_id(self) -> str:
        """The task's id as a text."""

    @property
    def spec(self) -> TaskSpec:
        """Its settings."""


class TaskLog:
    """A SlotObserver that writes the log. Loop thread."""

    def on_ready(self, slot: Told, milliseconds: float) -> None:
        """Its isolate is ready."""
        task_log(slot.task_id).debug("booted", boot_ms=round(milliseconds, 2))

    def on_console(self, slot: Told, level: int, text: bytes) -> None:
        """It wrote a console line."""
        tenant_line(slot.task_id, level, text)

    def on_handler_error(self, slot: Told, message: str, request: str | None = None) -> None:
        """It failed to answer a request, with that id if it had one."""
        known = {} if request is None else {"request": request}
        task_log(slot.task_id).error("request failed", stack=message, **known)

    def on_blocked(self, slot: Told, block: Block) -> None:
        """Its script is not started again for now."""
        task_log(slot.task_id).error(
            "blocked: its script had to be stopped by force, and is not started again until this ends, its files "
            "change or isolated is started again",
            reason=block.reason,
            lasts_s=round(block.until - block.since),
            sources=block.sources,
        )

    def on_taint(self, taint: Taint) -> None:
        """A thread was parked: what the process has lost by now."""
        host_log().warning(
            "a thread is lost, with its memory, until isolated is started again",
            parked=taint.parked,
            faults=taint.faults,
            mappings=taint.mappings,
            mappings_limit=taint.mappings_limit,
            rss_mib=round(taint.rss / MIB),
            of_living_isolates_mib=round(taint.accounted / MIB),
        )

    def on_late(self, slot: Told, count: int, requests: Sequence[str] = ()) -> None:
        """It did not answer requests in time; `requests` are the ids of those that had one."""
        known = {"requests": " ".join(requests)} if requests else {}
        limit = slot.spec.limits.cpu.wall_ms
        task_log(slot.task_id).warning(
            "requests not answered within limits.cpu.wall", count=count, limit=limit, **known
        )

    def on_end(self, slot: Told, end: Exit) -> None:
        """Its isolate is over."""
        log = task_log(slot.task_id)
        write = log.error if end.failed else log.info
        stack = end.stack or (end.error.stack if end.error is not None else None)
        measured = None if end.measured is None else round(end.measured)
        fields = {"reason": end.reason.value, "limit": end.limit, "measured": measured, "stack": stack}
        write(end.describe(), **{name: value for name, value in fields.items() if value is not None})
