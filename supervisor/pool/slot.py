"""A task on this host: takes its requests, boots its isolate when one is needed, and starts and stops when told."""

from __future__ import annotations

from typing import cast

from supervisor.engine.isolate import End, Isolate
from supervisor.errors import Refused
from supervisor.pool import failures
from supervisor.pool.blocked import Block
from supervisor.pool.deadlines import Deadlines
from supervisor.pool.exchange import Exchange, Failure, RequestRefused
from supervisor.pool.parts import SlotParts
from supervisor.pool.states import TaskEvent, TaskState
from supervisor.pool.tenure import Tenure
from supervisor.pool.waiting import WaitingRequest
from supervisor.spec.task import TaskSpec

# An isolate that was in the same piece of JavaScript when a request's wall time ran out, and still is so long after it
# was told, spins: it is ended, so that other requests do not wait for it. Seconds.
SPIN_GRACE_S = 1.0

# Of requests that are late together so many are told by their ids; more would be a flood in the log.
MOST_IDS = 10


class Slot(Tenure):
    """Implements ingress's Backend. Loop thread."""

    __slots__ = ("_deadlines", "_next_number", "_replaced")

    def __init__(self, spec: TaskSpec, parts: SlotParts) -> None:
        super().__init__(spec, parts)
        self._next_number = parts.numbers.__next__
        self._replaced = False  # another slot has its place
        self._deadlines = Deadlines(spec.limits.cpu.wall_ms, parts.loop, self._on_wall_limit, self._numbers_in_flight)

    # -- start and stop --------------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Boots the task and returns when it is ready, or when it ended in good order. A back-off does not count.

        BootError, EngineError, Refused (the host is full). After stop() it is wanted again; what runs already is left
        alone.
        """
        while self._stopping and self._run is not None:
            await self._run.wait_over()
        if self._replaced:  # nobody would ever stop what boots here
            raise Refused(f"task {self.task_id} was replaced meanwhile", "ask again: the new one starts")
        self._stopping = False
        if self.state is TaskState.RUNNING:
            return
        self._deadlines.last = self._next_number()  # it counts as asked: somebody wants it here
        started = self._parts.loop.create_future()
        self._starts.append(started)
        if self._run is None and not self._parts.room.is_waiting(self):
            failure = self._enter("it was started")
            if failure is failures.HOST_FULL:
                self._note_refused(failure)
                self._starts.remove(started)
                raise _full(self.task_id)
        await started

    def sleep(self) -> None:
        """Takes part without an isolate: the next request boots one. For a task that never ran, or is stopped."""
        if self._run is not None or self.state not in (TaskState.PENDING, TaskState.STOPPED):
            raise ValueError(f"task {self.task_id} is {self.state.value}: allowed are a new and a stopped one")
        self._stopping = False
        if self.state is TaskState.STOPPED:
            self._go(TaskEvent.WANTED, "it was started")
        self._go(TaskEvent.SLEPT, "it boots with its next request")

    async def stop(self, drain_s: float) -> None:
        """Takes no more requests, gives the isolate `drain_s` seconds to finish, ends it, returns when it is over."""
        self._stopping = True
        self._fail_all([*self._taken_back(), *self._waiting_exchanges()], failures.STOPPING)
        if self._run is not None:
            self._serving = None
            self._idleness.stop()
            await self._run.drain(drain_s)
            return
        self._parts.room.leave(self)
        self._settle_starts()
        if self.state is not TaskState.STOPPED:
            self._go(TaskEvent.STOPPED, "it was stopped")

    def kill(self) -> None:
        """Ends the isolate at once, whatever it does."""
        if self._run is not None:
            self._run.kill()

    def on_released(self, block: Block, why: str) -> None:
        """A block is over: if it is this task's, its next request boots it."""
        if self.state is TaskState.BLOCKED and self._hold.is_for(block):
            self._go(TaskEvent.RELEASED, why)

    def succeed(self, predecessor: Slot) -> None:
        """Goes on with the counts of the slot that it replaces; what happens to that from now on counts here too."""
        predecessor._replaced = True
        predecessor.note_cpu()
        self.history.absorb(predecessor.history)
        predecessor.history = self.history

    # -- who gives way when the host is full (Guest) ---------------------------------------------------------------

    @property
    def may_give_way(self) -> bool:
        """Whether it has nothing to do, a request can wake it, and its settings let it sleep at all."""
        may_sleep = self.spec.idle is not None and bool(self.spec.listen)
        return may_sleep and self._serving is not None and not self._is_busy()

    @property
    def last_asked(self) -> int:
        """The number of its last request."""
        return self._deadlines.last

    def give_way(self) -> None:
        """Ends soon."""
        self._rest(None, "the host needed its place for another task")

    # -- ingress's Backend -----------------------------------------------------------------------------------------

    def request(
        self, exchange: Exchange, flags: int, method: bytes, target: bytes, headers: bytes, body: bytes
    ) -> int:  # fmt: skip
        """Takes a request; returns the exchange's number. RequestRefused."""
        number = self._next_number()
        self.history.requests += 1
        serving = self._serving
        if serving is None or not serving.request(number, exchange, flags, method, target, headers, body):
            # There is no isolate, or it is over and we are about to hear so: the next one answers.
            failure = self._wait(number, WaitingRequest(exchange, flags, method, target, headers, body))
            if failure is not None:
                self.history.note_failure(failure)
                self._note_refused(failure)
                raise RequestRefused(failure)
        self._deadlines.note(number)
        return number

    def _wait(self, number: int, request: WaitingRequest) -> Failure | None:
        """Puts a request in line, and boots if nobody did; returns why it cannot wait."""
        if self._stopping:
            return failures.STOPPING
        if not self._waiting.has_room(len(self._ahead())):
            return failures.QUEUE_FULL
        self._waiting.add(number, request)  # first: a boot takes it along
        if self._run is None and not self._parts.room.is_waiting(self):
            failure = self._wake("a request came")
            if failure is not None:
                self._waiting.take(number)
            return failure
        return None

    def body(self, number: int, data: bytes) -> None:
        """More of a streamed request body."""
        if waiting := self._waiting.get(number):
            waiting.chunks.append(data)
        elif self._run is not None:
            self._run.isolate.body(number, data)

    def body_end(self, number: int) -> None:
        """The streamed request body is complete."""
        if waiting := self._waiting.get(number):
            waiting.ended = True
        elif self._run is not None:
            self._run.isolate.body_end(number)

    def body_failed(self, number: int) -> None:
        """The streamed request body will never be complete."""
        if waiting := self._waiting.get(number):
            waiting.failed = True
        elif self._run is not None:
            self._run.isolate.body_failed(number)

    def abort(self, number: int) -> None:
        """Nobody waits for this answer any more."""
        if self._waiting.take(number) is None and self._run is not None:
            self._run.isolate.abort(number)

    def credit(self, number: int, size: int) -> None:
        """The client took `size` bytes of a streamed response."""
        if self._run is not None:
            self._run.isolate.credit(number, size)

    # -- the wall limit --------------------------------------------------------------------------------------------

    def _numbers_in_flight(self) -> list[int]:
        """The numbers of requests without the beginning of an answer, oldest first."""
        if self._run is None:
            return self._waiting.numbers()
        isolate = self._run.isolate
        return [number for number in isolate.exchanges if number not in isolate.streaming] + self._waiting.numbers()

    def _on_wall_limit(self, numbers: list[int]) -> None:
        assert self.spec.limits.cpu.wall_ms is not None
        failure = failures.of_wall_limit(self.spec.limits.cpu.wall_ms)
        exchanges = [(number, self._exchange(number)) for number in numbers]
        known = [each.request_id for _, each in exchanges[:MOST_IDS] if each is not None]
        for number, exchange in exchanges:
            self.abort(number)
            if exchange is not None:
                self._fail(exchange, failure)
        self._parts.observer.on_late(self, len(numbers), tuple(each for each in known if each is not None))
        figures = self.statistics()
        if figures is not None and figures.busy_since_s is not None and self._run is not None:
            self._parts.loop.call_later(SPIN_GRACE_S, _end_if_spinning, self._run.isolate, figures.busy_since_s)

    def _exchange(self, number: int) -> Exchange | None:
        if waiting := self._waiting.get(number):
            return waiting.exchange
        return cast("Exchange | None", self._run.isolate.exchanges.get(number)) if self._run is not None else None


def _end_if_spinning(isolate: Isolate, busy_since_s: float) -> None:
    figures = isolate.statistics()
    if figures is not None and figures.busy_since_s == busy_since_s:
        isolate.end(End.WALL_LIMIT)


def _full(task_id: str) -> Refused:
    return Refused(
        f"task {task_id} cannot boot: the host is full, and no other task is idle",
        "stop a task, wait until one is idle, or raise the host's `isolates` or `memory`",
        retry_s=failures.FULL_RETRY_S,
    )
