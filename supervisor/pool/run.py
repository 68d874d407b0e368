"""One isolate with a task on it, from its boot to its end."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Protocol

from supervisor.engine.exchange import Answered
from supervisor.engine.isolate import End, Isolate, Statistics
from supervisor.pool.states import IsolateEvent, IsolateState, isolate_life
from supervisor.spec.exits import Exit, ExitReason
from supervisor.spec.task import TaskSpec

# JavaScript stops within milliseconds of being told; what does not is in a built-in that no termination reaches.
END_S = 2.0
ENDED = frozenset({IsolateState.STOPPED, IsolateState.PARKED})


class Placement(Protocol):
    """An isolate's thread where its task wants it: in a group with its quota, on its cores."""

    def throttled_s(self) -> float:
        """For how long it had to stand still so far."""

    def leave(self) -> None:
        """Its isolate is over."""


type OnPlaced = Callable[[Placement | OSError | None], None]


class Placer(Protocol):
    """Puts threads where their tasks want them."""

    def is_first(self, spec: TaskSpec) -> bool:
        """Whether that has to be before the first line of the task's code."""

    def place(self, spec: TaskSpec, thread_id: int, placed: OnPlaced) -> None:
        """Does so and calls `placed`, now or later: with None if there is nothing to leave again, or why it failed."""


class RunOwner(Protocol):
    """Who is told what becomes of it."""

    def on_ready(self, microseconds: int, *, has_handler: bool) -> None:
        """Its boot is done, and it may be asked."""

    def on_log(self, level: int, text: bytes) -> None:
        """The program wrote a console line."""

    def on_failed(self, exchange: Answered, message: bytes) -> None:
        """The program failed to answer."""

    def on_over(self, end: Exit) -> None:
        """It is over; exchanges that it left are still in `isolate.exchanges`."""


class Run:
    """Implements the engine's IsolateListener. Loop thread."""

    __slots__ = (
        "_blocked",
        "_boot_took_ms",
        "_boot_watch",
        "_cpu_s",
        "_cpu_taken_s",
        "_idle_ms",
        "_impatience",
        "_life",
        "_loop",
        "_over",
        "_owner",
        "_placement",
        "_placer",
        "_refused",
        "_rests",
        "_spec",
        "_throttled_s",
        "_unplaced",
        "_why",
        "began",
        "isolate",
    )

    def __init__(
        self, spec: TaskSpec, loop: asyncio.AbstractEventLoop, owner: RunOwner, placer: Placer | None = None
    ) -> None:
        self.isolate: Isolate  # given right after this was made: it needs a listener first
        self.began = 0.0  # loop time of its boot
        self._spec = spec
        self._loop = loop
        self._owner: RunOwner | None = owner  # None: it was given up
        self._life = isolate_life()
        self._boot_watch: asyncio.TimerHandle | None = None
        self._impatience: asyncio.TimerHandle | None = None
        self._cpu_s = 0.0  # of its thread, when it was last looked at
        self._cpu_taken_s = 0.0
        self._boot_took_ms = 0.0  # when it was ended for that
        self._refused: ExitReason | None = None  # why it was ended as soon as it was ready
        self._rests = False  # it was asked to end because it has nothing to do
        self._idle_ms: float | None = None  # after so long
        self._why = ""  # or for this
        self._placer = placer  # None: it is placed, or nobody places
        self._placement: Placement | None = None
        self._throttled_s = 0.0
        self._unplaced = ""  # why it could not be
        self._blocked: Iterable[str] | None = None  # what to boot with, once it is placed
        self._over: asyncio.Future[None] | None = None

    @property
    def state(self) -> IsolateState:
        """Where it is in its life."""
        return self._life.state

    def statistics(self) -> Statistics | None:
        """Returns its figures; None if it is over."""
        figures = self.isolate.statistics()
        if figures is not None:
            self._cpu_s = figures.cpu_s
        return figures

    def take_cpu(self) -> float:
        """Returns the seconds of CPU time that were seen since this was called last."""
        taken, self._cpu_taken_s = self._cpu_s - self._cpu_taken_s, self._cpu_s
        return taken

    def boot(self, blocked: Iterable[str]) -> None:
        """Begins; the owner hears on_ready or on_over. On the clock it may take limits.cpu.wall."""
        self._life.on(IsolateEvent.BOOT)
        self.began = self._loop.time()
        wall_ms = self._spec.limits.cpu.wall_ms
        if wall_ms is not None:
            self._boot_watch = self._loop.call_later(wall_ms / 1000, self._end_boot_late)
        if self._placer is not None and self._placer.is_first(self._spec):
            self._blocked = blocked
        else:
            self.isolate.boot(self._spec, blocked=blocked)
        self._place()

    def _place(self) -> None:
        """Has its thread placed, as soon as there is one: an isolate that was made for us may have none yet."""
        figures = self.isolate.statistics()
        if self._placer is None or figures is None or not figures.thread_id:
            return
        placer, self._placer = self._placer, None
        placer.place(self._spec, figures.thread_id, self._on_placed)

    def _on_placed(self, outcome: Placement | OSError | None) -> None:
        blocked, self._blocked = self._blocked, None
        if isinstance(outcome, OSError):
            self._unplaced = f"its CPU limits cannot be held: {outcome.strerror or outcome}"
            self.isolate.end(End.KILLED)
        elif self._life.state in ENDED:  # it did not wait for this
            if outcome is not None:
                outcome.leave()
        else:
            self._placement = outcome
            if blocked is not None and self._life.state is IsolateState.BOOTING:
                self.isolate.boot(self._spec, blocked=blocked)

    def throttled_s(self) -> float:
        """For how long its quota made it stand still."""
        if self._placement is not None:
            self._throttled_s = self._placement.throttled_s()
        return self._throttled_s

    def _end_boot_late(self) -> None:
        self._boot_watch = None
        self._boot_took_ms = (self._loop.time() - self.began) * 1000
        self.isolate.end(End.STARTUP_LIMIT)

    def rest(self, idle_ms: float | None, why: str = "") -> None:
        """Ends for idleness; work that goes on behind its last answer has END_S seconds."""
        self._rests, self._idle_ms, self._why = True, idle_ms, why
        self._drain(End.IDLE)
        self._impatience = self._loop.call_later(END_S, self._rest_at_once)

    def _rest_at_once(self) -> None:
        self._why = "what it did behind its last answer did not end"
        self.kill()

    async def drain(self, seconds: float) -> None:
        """Lets it finish what it has, then ends it; returns when it is over or was given up."""
        self._over = self._over or self._loop.create_future()
        self._drain(End.DRAINED)
        await asyncio.wait([self._over], timeout=seconds)
        self.kill()
        await asyncio.wait([self._over], timeout=END_S)
        if not self._over.done():
            self._give_up()

    async def wait_over(self) -> None:
        """Returns when it is over."""
        self._over = self._over or self._loop.create_future()
        await asyncio.wait([self._over])

    def kill(self) -> None:
        """Ends it at once, whatever it does."""
        self.isolate.end(End.KILLED)

    def refuse(self, reason: ExitReason) -> None:
        """Ends it at once, because it is of no use; its exit says so."""
        self._refused = reason
        self.kill()

    def _drain(self, reason: End) -> None:
        self._life.on(IsolateEvent.DRAIN)
        self.isolate.end(reason)

    def _give_up(self) -> None:
        """Leaves an isolate that does not end to the end of the process: nobody waits for it any longer."""
        self.statistics()  # the last chance: its exit may never come
        self.on_exit(Exit(ExitReason.UNRESPONSIVE, limit=END_S * 1000))
        self._owner = None
        self.isolate.exchanges.clear()  # they have their answer

    # -- the engine's IsolateListener ------------------------------------------------------------------------------

    def on_warm(self, microseconds: int) -> None:
        """The isolate was made for us and is warm only now: its boot is on the way already, or has waited for this."""
        if self._owner is None:
            return
        self._place()

    def on_ready(self, microseconds: int, *, has_handler: bool) -> None:
        """Boot is done."""
        if self._owner is None:
            return
        self._stop_timers()
        if self._life.on(IsolateEvent.BOOTED) is IsolateState.READY:
            self._owner.on_ready(microseconds, has_handler=has_handler)

    def on_log(self, level: int, text: bytes) -> None:
        """The program wrote a console line."""
        if self._owner is not None:
            self._owner.on_log(level, text)

    def on_failed(self, number: int, exchange: Answered, message: bytes) -> None:
        """The program failed to answer."""
        if self._owner is not None:
            self._owner.on_failed(exchange, message)

    def on_exit(self, end: Exit) -> None:
        """The isolate is over."""
        if self._owner is None:
            return
        self._life.on(IsolateEvent.PARKED if end.parked else IsolateEvent.EXITED)
        self._stop_timers()
        if self._placement is not None:
            self.throttled_s()
            self._placement.leave()
            self._placement = None
        if end.cpu_s is not None:
            self._cpu_s = end.cpu_s
        self._owner.on_over(self._with_figures(end))
        if self._over is not None and not self._over.done():
            self._over.set_result(None)

    def _stop_timers(self) -> None:
        for timer in (self._boot_watch, self._impatience):
            if timer is not None:
                timer.cancel()
        self._boot_watch = self._impatience = None

    def _with_figures(self, end: Exit) -> Exit:
        """What the engine does not know about an end that we asked for."""
        wall_ms = self._spec.limits.cpu.wall_ms
        if self._unplaced and end.reason is ExitReason.KILLED:
            return replace(end, reason=ExitReason.ABORTED, message=self._unplaced)
        # A program with nothing left to do may end by itself before it is told to.
        if self._refused is not None and (end.reason is ExitReason.KILLED or not end.failed):
            return replace(end, reason=self._refused, code=None)
        if self._rests and end.reason in (ExitReason.IDLE, ExitReason.KILLED):
            limit = None if self._idle_ms is None else self._spec.idle
            return replace(end, reason=ExitReason.IDLE, limit=limit, measured=self._idle_ms, message=self._why)
        if end.limit is None and end.reason is ExitReason.STARTUP_LIMIT:
            return replace(end, limit=wall_ms, measured=self._boot_took_ms)
        if end.limit is None and end.reason is ExitReason.WALL_LIMIT:
            return replace(end, limit=wall_ms)
        return end
