"""A task's state on this host, and the isolates that it has one after the other."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import TYPE_CHECKING, cast

from supervisor.engine.exchange import Answered
from supervisor.engine.isolate import Isolate, Statistics
from supervisor.errors import IsolatedError
from supervisor.pool import failures
from supervisor.pool.blocked import Block
from supervisor.pool.boot_errors import boot_error
from supervisor.pool.exchange import Exchange, Failure
from supervisor.pool.history import History
from supervisor.pool.hold import Hold
from supervisor.pool.idleness import Idleness
from supervisor.pool.parts import SlotParts
from supervisor.pool.room import Place, memory_of
from supervisor.pool.run import Run
from supervisor.pool.states import IsolateState, TaskEvent, TaskState, task_life
from supervisor.pool.waiting import WaitingRoom
from supervisor.spec.exits import Exit, ExitReason
from supervisor.spec.task import TaskSpec

if TYPE_CHECKING:
    from supervisor.pool.slot import Slot


# So many requests are with their isolate when it becomes ready, which saves the first of them a way to the loop and
# back; the others wait in line here, where `queue` bounds them.
AHEAD = 1


class Tenure:
    """Boots an isolate, and settles what its end means for the task and for who waits. Loop thread."""

    __slots__ = (
        "_hold",
        "_idleness",
        "_life",
        "_parts",
        "_run",
        "_serving",
        "_starts",
        "_stopping",
        "_waiting",
        "history",
        "spec",
        "task_id",
    )

    def __init__(self, spec: TaskSpec, parts: SlotParts) -> None:
        self.spec = spec
        self.task_id = spec.label
        self.history = History()
        self._parts = parts
        self._life = task_life()
        self._run: Run | None = None
        self._serving: Isolate | None = None  # the isolate while it is READY: what the hot path looks at
        self._waiting = WaitingRoom(parts.room.limits.queue)
        self._hold = Hold(parts.blocks)
        self._idleness = Idleness(
            spec.idle, parts.loop, activity=self._activity, is_busy=self._is_busy, on_idle=self._on_idle
        )
        self._starts: list[asyncio.Future[None]] = []  # who waits for the boot
        self._stopping = False  # from the call of stop() to that of start()

    @property
    def state(self) -> TaskState:
        """Where the task is in its life."""
        return self._life.state

    @property
    def isolate_state(self) -> IsolateState | None:
        """Where its isolate is, if it has one."""
        return self._run.state if self._run is not None else None

    def statistics(self) -> Statistics | None:
        """Returns its isolate's figures, if it has one."""
        return self._run.statistics() if self._run is not None else None

    @property
    def cpu_s(self) -> float:
        """CPU time of all its isolates in this process; of those that were given up, what was seen of it."""
        self.note_cpu()
        return self.history.cpu_s

    def note_cpu(self) -> None:
        """Counts what its isolate has used since the last look."""
        if self._run is not None:
            self._run.statistics()
            self.history.cpu_s += self._run.take_cpu()

    @property
    def throttled_s(self) -> float:
        """For how long the quota made its isolates stand still, over all of them in this process."""
        return self.history.throttled_s + (0.0 if self._run is None else self._run.throttled_s())

    def wait_s(self, now: float) -> float | None:
        """Seconds of loop time until a request may boot it again; None if one may at once, or it is stopped."""
        if self.state is TaskState.BLOCKED:
            return self._hold.block_s(now)
        return self._hold.backoff_s(now) or None if self.state is TaskState.BACKOFF else None

    def _go(self, event: TaskEvent, why: str) -> None:
        before = self._life.state
        self._parts.on_state(self._slot, before, self._life.on(event), why)

    @property
    def _slot(self) -> Slot:
        return cast("Slot", self)

    # -- boot ------------------------------------------------------------------------------------------------------

    def _wake(self, why: str) -> Failure | None:
        """Boots it for requests, now or when there is room; returns why it cannot."""
        blocked = self.state is TaskState.BLOCKED
        return self._hold.refusal(self._parts.loop.time(), blocked=blocked) or self._enter(why)

    def _enter(self, why: str) -> Failure | None:
        """Takes a place and boots, or waits for one; returns why it cannot have one."""
        place = self._parts.room.enter(self._slot, memory_of(self.spec.limits.mem))
        if place is Place.NONE:
            return failures.HOST_FULL
        if place is Place.TAKEN:
            self._boot()  # first of all: the isolate works while we tell
        if self.state is TaskState.BLOCKED:
            self._go(TaskEvent.RELEASED, "its block is over, or its files may have changed")
        if self.state is not TaskState.PENDING:
            self._go(TaskEvent.WANTED, why)
        return None

    def on_room(self) -> None:
        """The place that it waited for is there."""
        self._boot()

    def _boot(self) -> None:
        run = Run(self.spec, self._parts.loop, self, self._parts.placer)
        run.isolate = self._parts.take(run)
        self._run = run
        self.history.boots += 1
        run.boot([block.sources for block in self._parts.blocks.blocks()])
        self._waiting.hand_over(run.isolate, AHEAD)

    # -- what the isolate tells (RunOwner) -------------------------------------------------------------------------

    def on_ready(self, microseconds: int, *, has_handler: bool) -> None:
        """Its isolate can be asked."""
        assert self._run is not None
        if self.spec.listen and not has_handler:
            self._run.refuse(ExitReason.NO_HANDLER)
            return
        self._serving = self._run.isolate
        self._waiting.hand_over(self._serving)  # first of all: the isolate works while we tell
        self._go(TaskEvent.BOOTED, f"its isolate was ready after {microseconds / 1000:.1f} ms")
        self._parts.observer.on_ready(self._slot, microseconds / 1000)
        self._settle_starts()
        self._idleness.watch()

    def on_log(self, level: int, text: bytes) -> None:
        """The program wrote a console line."""
        self._parts.observer.on_console(self._slot, level, text)

    def on_failed(self, exchange: Answered, message: bytes) -> None:
        """The program failed to answer: details to the log, a plain 500 to the client."""
        asked = cast(Exchange, exchange)
        self._parts.observer.on_handler_error(self._slot, message.decode(errors="replace"), asked.request_id)
        self._fail(asked, failures.HANDLER_ERROR)

    def on_over(self, end: Exit) -> None:
        """Its isolate is over: everybody who waits for it hears so."""
        run, self._run, self._serving = self._run, None, None
        assert run is not None
        self._idleness.stop()
        self._parts.room.leave(self._slot)
        self.history.cpu_s += run.take_cpu()
        self.history.throttled_s += run.throttled_s()
        now = self._parts.loop.time()
        was_running = self.state is TaskState.RUNNING
        starter_hears = bool(self._starts) and self._did_not_start(end)
        block = self._block(end)
        self._end_tenure(end, lived_s=now - run.began if was_running else 0.0, block=block)
        failure = self._failure(end, block)
        # First who waits, then who is told: a client that is told may have its next request in line.
        left_over = self._waiting_after(end, failure) if was_running else (self._waiting_exchanges(), failure)
        self._fail_all([cast(Exchange, each) for each in run.isolate.exchanges.values()], failure)
        self._fail_all(*left_over)
        if not starter_hears:
            self._parts.observer.on_end(self._slot, end)

    def _waiting_after(self, end: Exit, failure: Failure) -> tuple[list[Exchange], Failure]:
        """Who of those that wait gets no answer, and what they hear: the next isolate answers, if there may be one."""
        if not self._waiting or self._stopping or self.state is TaskState.BLOCKED:
            return self._waiting_exchanges(), failure
        refusal = self._wake("requests wait for the next isolate")
        if refusal is None:
            return [], failure
        self._note_refused(refusal)
        return self._waiting_exchanges(), failure if end.failed else refusal

    def _block(self, end: Exit) -> Block | None:
        """The block that follows from an end, if one does."""
        if end.parked and end.sources:
            block = self._parts.blocks.add(end.sources, task_id=self.task_id, reason=end.reason.value)
            self._parts.observer.on_blocked(self._slot, block)
            return block
        return self._parts.blocks.find(end.sources) if end.reason is ExitReason.BLOCKED else None

    def _failure(self, end: Exit, block: Block | None) -> Failure:
        """What those who were in flight hear."""
        now = self._parts.loop.time()
        if block is None:
            return failures.of_exit(end, self._hold.backoff_s(now))
        return failures.of_exit(end, block.left_s(now)) if end.parked else failures.of_block(block, now)

    def _end_tenure(self, end: Exit, *, lived_s: float, block: Block | None = None) -> None:
        """Brings the task's state, its back-off and whoever waits for its start up to date after an end."""
        now = self._parts.loop.time()
        self.history.note_exit(end, self._parts.unix_time())
        why = end.describe()
        if self._stopping:
            self._go(TaskEvent.STOPPED, why)
        elif block is not None:
            self._hold.after_block(block, now)
            self._go(TaskEvent.BLOCKED, why)
        elif end.failed:
            self._hold.after_failure(now=now, lived_s=lived_s)
            self._go(TaskEvent.FAILED, why)
        else:
            self._go(TaskEvent.SLEPT, why)
        self._settle_starts(boot_error(self.spec, end) if self._did_not_start(end) else None)

    def _did_not_start(self, end: Exit) -> bool:
        """Whether a task that ended so did not start. One that listens cannot be over; another may, with any code."""
        if end.reason is ExitReason.EXITED:
            return bool(self.spec.listen)
        return end.failed

    def _settle_starts(self, error: IsolatedError | None = None) -> None:
        starts, self._starts = self._starts, []
        for start in starts:
            if start.done():
                continue
            if error is None:
                start.set_result(None)
            else:
                start.set_exception(error)

    # -- requests that get no answer -------------------------------------------------------------------------------

    def _fail(self, exchange: Exchange, failure: Failure) -> None:
        self.history.note_failure(failure)
        exchange.failed(failure)

    def _fail_all(self, exchanges: Iterable[Exchange], failure: Failure) -> None:
        for exchange in exchanges:
            self._fail(exchange, failure)

    def _waiting_exchanges(self) -> list[Exchange]:
        """Takes all out of the line."""
        return [waiting.exchange for waiting in self._waiting.leave()]

    def _ahead(self) -> dict[int, Exchange]:
        """What an isolate got that is not ready yet, by number."""
        if self._run is None or self._run.state is not IsolateState.BOOTING:
            return {}
        return cast("dict[int, Exchange]", self._run.isolate.exchanges)

    def _taken_back(self) -> list[Exchange]:
        """Takes that back; what an isolate has begun it keeps."""
        ahead = dict(self._ahead())
        for number in ahead:
            assert self._run is not None
            self._run.isolate.abort(number)
        return list(ahead.values())

    def _note_refused(self, failure: Failure) -> None:
        """Counts what was refused for a bound of the host."""
        if failure.reason in self._parts.refused:
            self._parts.refused[failure.reason] += 1

    # -- idleness --------------------------------------------------------------------------------------------------

    def _activity(self) -> int:
        return self.history.requests

    def _is_busy(self) -> bool:
        """Whether its isolate has a request or a timer, or is at work."""
        figures = self.statistics()
        if self._serving is None or figures is None or self._serving.exchanges:
            return True
        return bool(figures.exchanges or figures.timers) or figures.busy_since_s is not None

    def _on_idle(self, idle_ms: float) -> None:
        self._rest(idle_ms)

    def _rest(self, idle_ms: float | None, why: str = "") -> None:
        """Ends its isolate in good order; requests that come meanwhile wait for the next one."""
        assert self._run is not None
        self._serving = None
        self._idleness.stop()
        self._parts.room.note_leaving(self._slot)
        self._run.rest(idle_ms, why)
