"""A task on this host: takes its requests, boots its isolate when one is needed, and answers for it when it ends."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Protocol, cast

from supervisor.engine.exchange import Answered
from supervisor.engine.isolate import End, Isolate, IsolateListener, Statistics
from supervisor.errors import BootError, EngineError
from supervisor.pool import failures
from supervisor.pool.backoff import Backoff
from supervisor.pool.blocked import LOOK_AGAIN_S, Block, BlockList
from supervisor.pool.deadlines import Deadlines
from supervisor.pool.exchange import Exchange, Failure, RequestRefused
from supervisor.pool.states import (
    IsolateEvent,
    IsolateState,
    TaskEvent,
    TaskState,
    isolate_life,
    task_life,
)
from supervisor.pool.waiting import WaitingRequest, WaitingRoom
from supervisor.spec.exits import Exit, ExitReason
from supervisor.spec.task import TaskSpec

# JavaScript stops within milliseconds of being told; what does not is in a built-in that no termination reaches.
END_S = 2.0

# An isolate that was in the same piece of JavaScript when a request's wall time ran out, and still is so long after it
# was told, spins: it is ended, so that other requests do not wait for it. Seconds.
SPIN_GRACE_S = 1.0


class SlotObserver(Protocol):
    """Who is told what becomes of a task. Loop thread."""

    def on_ready(self, slot: Slot, milliseconds: float) -> None:
        """Its isolate is ready, so long after the boot began."""

    def on_console(self, slot: Slot, level: int, text: bytes) -> None:
        """It wrote a console line."""

    def on_handler_error(self, slot: Slot, message: str) -> None:
        """It failed to answer a request; `message` has the stack."""

    def on_late(self, slot: Slot, count: int) -> None:
        """It did not answer so many requests within limits.cpu.wall; their clients were told."""

    def on_end(self, slot: Slot, end: Exit) -> None:
        """Its isolate is over."""

    def on_blocked(self, slot: Slot, block: Block) -> None:
        """Its script is not started again for now."""


@dataclass(frozen=True, slots=True)
class SlotParts:
    """What a slot works with; the pool makes one for all of them."""

    take: Callable[[IsolateListener], Isolate]
    numbers: Iterator[int]  # of exchanges, unique in the process
    observer: SlotObserver
    loop: asyncio.AbstractEventLoop
    blocked: BlockList  # times are the loop's


class Slot:
    """Implements ingress's Backend and the engine's IsolateListener. Loop thread."""

    def __init__(self, spec: TaskSpec, parts: SlotParts) -> None:
        self.spec = spec
        self.task_id = spec.label
        self._parts = parts
        self._life = task_life()
        self._isolate_life = isolate_life()
        self._isolate: Isolate | None = None
        self._serving: Isolate | None = None  # the isolate while it is READY: what the hot path looks at
        self._waiting = WaitingRoom()
        self._backoff = Backoff()
        self._sources = ""  # while BLOCKED: for which it is
        self._look_again_at = 0.0  # while BLOCKED: when it is booted to see whether its files changed
        self._deadlines = Deadlines(spec.limits.cpu.wall_ms, parts.loop, self._on_wall_limit, self._numbers_in_flight)
        self._boot_watch: asyncio.TimerHandle | None = None
        self._boot_began = 0.0
        self._boot_took_ms = 0.0  # when it was ended for that
        self._started: asyncio.Future[None] | None = None
        self._over: asyncio.Future[None] | None = None
        self._stopping = False

    @property
    def state(self) -> TaskState:
        """Where the task is in its life."""
        return self._life.state

    @property
    def isolate_state(self) -> IsolateState | None:
        """Where its isolate is, if it has one."""
        return self._isolate_life.state if self._isolate is not None else None

    def statistics(self) -> Statistics | None:
        """Returns its isolate's figures, if it has one."""
        return self._isolate.statistics() if self._isolate is not None else None

    # -- start and stop --------------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Boots the task and returns when it is ready, or when it ended in good order. BootError, EngineError."""
        self._started = self._parts.loop.create_future()
        self._boot()
        await self._started

    async def stop(self, drain_s: float) -> None:
        """Takes no more requests, gives the isolate `drain_s` seconds to finish, ends it, returns when it is over."""
        self._stopping = True
        self._waiting.fail(failures.STOPPING)
        isolate = self._isolate
        if isolate is not None:
            self._over = self._over or self._parts.loop.create_future()
            self._isolate_life.on(IsolateEvent.DRAIN)
            self._serving = None
            isolate.end(End.DRAINED)
            await asyncio.wait([self._over], timeout=drain_s)
            isolate.end(End.KILLED)
            await asyncio.wait([self._over], timeout=END_S)
            if self._isolate is isolate:
                self._give_up(isolate)
        if self._life.state is not TaskState.STOPPED:
            self._life.on(TaskEvent.STOPPED)

    def _give_up(self, isolate: Isolate) -> None:
        """Leaves an isolate that does not end to the end of the process: nobody waits for it any longer."""
        isolate.listener = _Nobody()
        self.on_exit(Exit(ExitReason.UNRESPONSIVE, limit=END_S * 1000))
        isolate.exchanges.clear()  # they have their answer

    def kill(self) -> None:
        """Ends the isolate at once, whatever it does."""
        if self._isolate is not None:
            self._isolate.end(End.KILLED)

    # -- ingress's Backend -----------------------------------------------------------------------------------------

    def request(
        self, exchange: Exchange, flags: int, method: bytes, target: bytes, headers: bytes, body: bytes
    ) -> int:  # fmt: skip
        """Takes a request; returns the exchange's number. RequestRefused."""
        number = next(self._parts.numbers)
        serving = self._serving
        if serving is None or not serving.request(number, exchange, flags, method, target, headers, body):
            # There is no isolate, or it is over and we are about to hear so: the next one answers.
            self._wait(number, WaitingRequest(exchange, flags, method, target, headers, body))
        self._deadlines.note(number)
        return number

    def body(self, number: int, data: bytes) -> None:
        """More of a streamed request body."""
        if waiting := self._waiting.get(number):
            waiting.chunks.append(data)
        elif self._isolate is not None:
            self._isolate.body(number, data)

    def body_end(self, number: int) -> None:
        """The streamed request body is complete."""
        if waiting := self._waiting.get(number):
            waiting.ended = True
        elif self._isolate is not None:
            self._isolate.body_end(number)

    def body_failed(self, number: int) -> None:
        """The streamed request body will never be complete."""
        if waiting := self._waiting.get(number):
            waiting.failed = True
        elif self._isolate is not None:
            self._isolate.body_failed(number)

    def abort(self, number: int) -> None:
        """Nobody waits for this answer any more."""
        if self._waiting.take(number) is None and self._isolate is not None:
            self._isolate.abort(number)

    def credit(self, number: int, size: int) -> None:
        """The client took `size` bytes of a streamed response."""
        if self._isolate is not None:
            self._isolate.credit(number, size)

    def _wait(self, number: int, request: WaitingRequest) -> None:
        if self._stopping:
            raise RequestRefused(failures.STOPPING)
        if self._waiting.is_full:
            raise RequestRefused(failures.QUEUE_FULL)
        if self._life.state is TaskState.BLOCKED:
            self._leave_block()
        if self._isolate is None:
            wait_s = self._backoff.wait_s(self._parts.loop.time())
            if wait_s > 0:
                raise RequestRefused(failures.of_backoff(wait_s))
            self._life.on(TaskEvent.WANTED)
            self._boot()
        if self._isolate is None:  # there was no thread for it
            raise RequestRefused(failures.of_backoff(self._backoff.wait_s(self._parts.loop.time())))
        self._waiting.add(number, request)

    # -- blocked sources -------------------------------------------------------------------------------------------

    def _leave_block(self) -> None:
        """Goes on if the block is over, or if it is time to see whether the files changed; else RequestRefused."""
        now = self._parts.loop.time()
        block = self._parts.blocked.find(self._sources, now)
        if block is not None and now < self._look_again_at:
            raise RequestRefused(failures.of_block(block, now))
        self._life.on(TaskEvent.RELEASED)

    def _block(self, end: Exit) -> Block | None:
        """The block that follows from an end, if one does."""
        now = self._parts.loop.time()
        if end.parked and end.sources:
            block = self._parts.blocked.add(end.sources, task_id=self.task_id, reason=end.reason.value, now=now)
            self._parts.observer.on_blocked(self, block)
            return block
        return self._parts.blocked.find(end.sources, now) if end.reason is ExitReason.BLOCKED else None

    # -- boot ------------------------------------------------------------------------------------------------------

    def _boot(self) -> None:
        try:
            isolate = self._parts.take(self)
        except EngineError as error:
            self._on_no_thread(error)
            return
        self._isolate = isolate
        self._isolate_life = isolate_life()
        self._isolate_life.on(IsolateEvent.BOOT)
        self._boot_began = self._parts.loop.time()
        isolate.boot(self.spec, blocked=(block.sources for block in self._parts.blocked.blocks(self._boot_began)))
        self._watch_boot()

    def _boot_again(self) -> bool:
        """Boots for requests that came after the last isolate was over; False if the task has to wait first."""
        if self._stopping or self._life.state is TaskState.BLOCKED or self._backoff.wait_s(self._parts.loop.time()) > 0:
            return False
        self._life.on(TaskEvent.WANTED)
        self._boot()
        return self._isolate is not None

    def _on_no_thread(self, error: EngineError) -> None:
        if self._started is not None and not self._started.done():
            self._started.set_exception(error)
        end = Exit(ExitReason.ABORTED, message=error.message)
        self._end_boot(end)
        self._parts.observer.on_end(self, end)

    def _watch_boot(self) -> None:
        """Ends a boot that took its time on the clock (limits.cpu.wall); its CPU time is the engine's business."""
        wall_ms = self.spec.limits.cpu.wall_ms
        self._boot_watch = None if wall_ms is None else self._parts.loop.call_later(wall_ms / 1000, self._end_boot_late)

    def _end_boot_late(self) -> None:
        self._boot_watch = None
        self._boot_took_ms = (self._parts.loop.time() - self._boot_began) * 1000
        if self._isolate is not None:
            self._isolate.end(End.STARTUP_LIMIT)

    # -- the engine's IsolateListener ------------------------------------------------------------------------------

    def on_warm(self, microseconds: int) -> None:
        """The isolate was made for us and is warm only now: its boot is on the way already."""

    def on_ready(self, microseconds: int, *, has_handler: bool) -> None:
        """Boot is done."""
        self._stop_boot_watch()
        if self._isolate_life.on(IsolateEvent.BOOTED) is not IsolateState.READY or self._isolate is None:
            return
        if self.spec.listen and not has_handler:
            self._refuse_without_handler()
            return
        self._serving = self._isolate
        self._life.on(TaskEvent.BOOTED)
        self._parts.observer.on_ready(self, microseconds / 1000)
        self._settle_start()
        self._waiting.hand_over(self._isolate)

    def _refuse_without_handler(self) -> None:
        assert self._isolate is not None
        if self._started is not None and not self._started.done():
            self._started.set_exception(
                BootError(
                    f"task {self.task_id} listens, but its main module {self.spec.main_path} handles no requests",
                    "add `export default { fetch(request) { … } }`, or addEventListener('fetch', …) in a script",
                    file=f"{self.spec.pwd}/{self.spec.main_path}",
                )
            )
        self._isolate.end(End.KILLED)

    def on_log(self, level: int, text: bytes) -> None:
        """The program wrote a console line."""
        self._parts.observer.on_console(self, level, text)

    def on_failed(self, number: int, exchange: Answered, message: bytes) -> None:
        """The program failed to answer: details to the log, a plain 500 to the client."""
        self._parts.observer.on_handler_error(self, message.decode(errors="replace"))
        cast(Exchange, exchange).failed(failures.HANDLER_ERROR)

    def on_exit(self, end: Exit) -> None:
        """The isolate is over: everybody who waits for it hears so."""
        isolate, self._isolate, self._serving = self._isolate, None, None
        assert isolate is not None
        self._isolate_life.on(IsolateEvent.PARKED if end.parked else IsolateEvent.EXITED)
        end = self._with_figures(end)
        self._stop_boot_watch()
        was_running = self._life.state is TaskState.RUNNING
        starter_hears = self._is_starting and self._start_failed(end)
        block = self._block(end)
        self._end_boot(end, block)
        failure = self._failure(end, block)
        # First who waits, then who is told: a client that is told may have its next request in line.
        boots_again = was_running and self._waiting and self._boot_again()
        left_over = [] if boots_again else self._waiting.leave()
        for exchange in [*isolate.exchanges.values(), *(waiting.exchange for waiting in left_over)]:
            cast(Exchange, exchange).failed(failure)
        if not starter_hears:
            self._parts.observer.on_end(self, end)
        if self._over is not None and not self._over.done():
            self._over.set_result(None)

    def _failure(self, end: Exit, block: Block | None) -> Failure:
        """What those who waited for the isolate hear."""
        now = self._parts.loop.time()
        if block is None:
            return failures.of_exit(end, self._backoff.wait_s(now))
        return failures.of_exit(end, block.left_s(now)) if end.parked else failures.of_block(block, now)

    def _end_boot(self, end: Exit, block: Block | None = None) -> None:
        """Brings the task's state, its back-off and whoever waits for its start up to date after an end."""
        now = self._parts.loop.time()
        was_running = self._life.state is TaskState.RUNNING
        if self._stopping:
            self._life.on(TaskEvent.STOPPED)
        elif block is not None:
            self._life.on(TaskEvent.BLOCKED)
            self._sources, self._look_again_at = block.sources, now + LOOK_AGAIN_S
        elif end.failed:
            self._backoff = self._backoff.after_failure(now=now, lived_s=now - self._boot_began if was_running else 0.0)
            self._life.on(TaskEvent.FAILED)
        else:
            self._life.on(TaskEvent.SLEPT)
        if self._started is not None and self._is_starting and self._start_failed(end):
            self._started.set_exception(_boot_error(self.spec, end))
        self._settle_start()

    @property
    def _is_starting(self) -> bool:
        return self._started is not None and not self._started.done()

    def _start_failed(self, end: Exit) -> bool:
        """Whether a task that ended so did not start. One that listens cannot be over; another may, with any code."""
        if end.reason is ExitReason.EXITED:
            return bool(self.spec.listen)
        return end.failed

    def _settle_start(self) -> None:
        if self._started is not None and not self._started.done():
            self._started.set_result(None)

    def _with_figures(self, end: Exit) -> Exit:
        limits = self.spec.limits.cpu
        if end.reason is ExitReason.STARTUP_LIMIT and end.limit is None:
            return replace(end, limit=limits.wall_ms, measured=self._boot_took_ms)
        if end.reason is ExitReason.WALL_LIMIT and end.limit is None:
            return replace(end, limit=limits.wall_ms)
        return end

    def _stop_boot_watch(self) -> None:
        if self._boot_watch is not None:
            self._boot_watch.cancel()
            self._boot_watch = None

    # -- the wall limit --------------------------------------------------------------------------------------------

    def _numbers_in_flight(self) -> list[int]:
        """The numbers of requests without the beginning of an answer, oldest first."""
        if self._isolate is None:
            return self._waiting.numbers()
        streaming = self._isolate.streaming
        return [number for number in self._isolate.exchanges if number not in streaming] + self._waiting.numbers()

    def _on_wall_limit(self, numbers: list[int]) -> None:
        assert self.spec.limits.cpu.wall_ms is not None
        failure = failures.of_wall_limit(self.spec.limits.cpu.wall_ms)
        for number in numbers:
            exchange = self._exchange(number)
            self.abort(number)
            if exchange is not None:
                exchange.failed(failure)
        self._parts.observer.on_late(self, len(numbers))
        figures = self.statistics()
        if figures is not None and figures.busy_since_s is not None and self._isolate is not None:
            self._parts.loop.call_later(SPIN_GRACE_S, self._end_if_spinning, self._isolate, figures.busy_since_s)

    def _exchange(self, number: int) -> Exchange | None:
        if waiting := self._waiting.get(number):
            return waiting.exchange
        return cast("Exchange | None", self._isolate.exchanges.get(number)) if self._isolate is not None else None

    def _end_if_spinning(self, isolate: Isolate, busy_since_s: float) -> None:
        figures = isolate.statistics()
        if figures is not None and figures.busy_since_s == busy_since_s:
            isolate.end(End.WALL_LIMIT)


class _Nobody:
    """Listens to an isolate that was given up."""

    def on_warm(self, microseconds: int) -> None:
        pass

    def on_ready(self, microseconds: int, *, has_handler: bool) -> None:
        pass

    def on_log(self, level: int, text: bytes) -> None:
        pass

    def on_failed(self, number: int, exchange: Answered, message: bytes) -> None:
        pass

    def on_exit(self, end: Exit) -> None:
        pass


def _boot_error(spec: TaskSpec, end: Exit) -> BootError:
    error = end.error
    if error is None:
        return BootError(f"task {spec.label} did not start: {end.describe()}")
    stack = error.stack or ""
    first, _, frames = stack.partition("\n")
    stack = frames if first in error.message else stack  # the message is told already
    return BootError(
        f"task {spec.label} did not start: {error.message}", file=error.file, place=error.place, stack=stack or None
    )
