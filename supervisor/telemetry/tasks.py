"""What happens to tasks, as lines in the host's log."""

from __future__ import annotations

from supervisor.pool.blocked import Block
from supervisor.pool.slot import Slot
from supervisor.spec.exits import Exit
from supervisor.spec.taint import Taint
from supervisor.telemetry.logs import host_log, task_log, tenant_line

MIB = 2**20


class TaskLog:
    """A SlotObserver that writes the log. Loop thread."""

    def on_ready(self, slot: Slot, milliseconds: float) -> None:
        """Its isolate is ready."""
        task_log(slot.task_id).debug("booted", boot_ms=round(milliseconds, 2))

    def on_console(self, slot: Slot, level: int, text: bytes) -> None:
        """It wrote a console line."""
        tenant_line(slot.task_id, level, text)

    def on_handler_error(self, slot: Slot, message: str) -> None:
        """It failed to answer a request."""
        task_log(slot.task_id).error("request failed", stack=message)

    def on_blocked(self, slot: Slot, block: Block) -> None:
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

    def on_late(self, slot: Slot, count: int) -> None:
        """It did not answer requests in time."""
        limit = slot.spec.limits.cpu.wall_ms
        task_log(slot.task_id).warning("requests not answered within limits.cpu.wall", count=count, limit=limit)

    def on_end(self, slot: Slot, end: Exit) -> None:
        """Its isolate is over."""
        log = task_log(slot.task_id)
        write = log.error if end.failed else log.info
        stack = end.stack or (end.error.stack if end.error is not None else None)
        measured = None if end.measured is None else round(end.measured)
        fields = {"reason": end.reason.value, "limit": end.limit, "measured": measured, "stack": stack}
        write(end.describe(), **{name: value for name, value in fields.items() if value is not None})
