"""The cluster through Serf: an agent that is started, followed and started again, and what it says as members."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from random import Random
from typing import Any, Self

from supervisor.cluster.membership import Burst
from supervisor.cluster.serf import rpc, tags
from supervisor.cluster.serf.errors import AgentError
from supervisor.cluster.serf.joiner import Joiner
from supervisor.cluster.serf.life import Life, living
from supervisor.cluster.serf.listener import Listener
from supervisor.cluster.serf.memory import Memory
from supervisor.cluster.serf.options import SerfOptions
from supervisor.cluster.serf.problems import ID_TAKEN
from supervisor.cluster.serf.publisher import Publisher
from supervisor.cluster.serf.reports import Reports, Tell
from supervisor.cluster.serf.retry import Retry
from supervisor.cluster.serf.rotator import Rotator
from supervisor.cluster.serf.view import View
from supervisor.cluster.values import HostState, Member

MERGE_S = 0.1  # what changes within this is one burst
# An agent that comes back within a second is missed by nobody; one that lived for a minute is taken to be well.
RESTART = Retry(first_s=0.2, longest_s=30.0)
WELL_AFTER_S = 60.0
ID_TAKEN_S = 60.0  # what is sent to one of two hosts of one id may reach the other; an old address fails within 15 s
LEAVE_S = 8.0  # Serf's propagation of 1 s and its broadcast of 5 s at most
SUBJECT = "the agent"


class SerfMembership:
    """Implements Membership. Leaving the context kills the agent without a word: a successor starts its own."""

    def __init__(
        self,
        own: Member,
        options: SerfOptions,
        tell: Tell,
        *,
        chance: Random,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        """IdentityRefused: `own` cannot be published."""
        tags.check(own)
        self._options = options
        self._now = now
        self._chance = chance
        self._reports = Reports(tell)
        self._memory = Memory(options, self._reports)
        others = [each for each in self._memory.load(now()) if each.id != own.id]
        self._view = View(own, others, self._memory.load_ended())
        self._listener = Listener(self._view, self._reports, now, self._changed)
        self._joiner = Joiner(self._view, self._listener, options.others, self._reports, chance)
        self._publisher = Publisher(self._view, self._reports)
        self._rotator = Rotator(options.keys, self._reports, chance)
        self._wake = asyncio.Event()
        self._life: Life | None = None
        self._lives = 0
        self._leaving = False
        self._is_refused = False
        self._began = 0.0
        self._running: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        """Begins; the agent comes when it can. See `problem`."""
        self._running = asyncio.create_task(self._run())
        self._running.add_done_callback(self._over)
        return self

    async def __aexit__(self, *exception: object) -> None:
        """Nothing of the agent is left when it returns."""
        assert self._running is not None
        self._running.cancel()
        await asyncio.wait((self._running,))
        self._memory.close(self._view)

    @property
    def own(self) -> Member:
        """This host."""
        return self._view.own

    @property
    def members(self) -> tuple[Member, ...]:
        """All that are known."""
        return self._view.members

    @property
    def ended(self) -> frozenset[str]:
        """Who will not come back, as an operator said."""
        return self._view.ended

    @property
    def is_refused(self) -> bool:
        """Until an agent has lived for a minute again."""
        return self._is_refused and (self._life is None or self._now() - self._began < WELL_AFTER_S)

    @property
    def is_current(self) -> bool:
        """Whether the agent runs and had time to find everybody."""
        return self._listener.is_current

    @property
    def problem(self) -> str | None:
        """What is wrong now."""
        return self._reports.problem

    @property
    def agent_pid(self) -> int | None:
        """Of the dead man's switch, whose child the agent is; None: there is none now."""
        return None if self._life is None else self._life.pid

    async def changes(self) -> AsyncIterator[Burst]:
        """Bursts of changes, all members first."""
        self._view.untold()
        self._wake.set()
        while True:
            await self._wake.wait()
            await asyncio.sleep(MERGE_S)
            self._wake.clear()
            if burst := self._view.burst():
                yield burst

    def tell(self, state: HostState, *, room: bool) -> None:
        """Changes the tags."""
        if self._view.tell(state, room=room):
            self._publisher.changed()
            self._changed()

    async def leave(self) -> None:
        """Says goodbye; if that is not heard within LEAVE_S the others will take this host for failed."""
        self._leaving = True
        if self._life is None:
            return
        try:
            async with asyncio.timeout(LEAVE_S), await self._life.connect() as connection:
                await rpc.leave(connection)
        except (TimeoutError, AgentError) as error:
            self._reports.note("warning", "this host ends without a goodbye", problem=str(error) or "no answer")

    async def forget(self, member: str) -> None:
        """Makes all hosts that are there forget one that failed or left, though this one does not know it any more."""
        if self._life is None:
            raise AgentError("the agent is not running", self.problem)
        boot_time = next((each.boot_time for each in self.members if each.id == member), time.time())
        async with await self._life.connect() as connection:
            await rpc.force_leave(connection, member)  # agents do not look for it any more
            await rpc.tell_end(connection, rpc.Ended(member, boot_time))

    def use_keys(self, keys: Sequence[bytes]) -> None:
        """Begins to change to them, on all members."""
        self._rotator.want(keys)

    def _changed(self) -> None:
        self._wake.set()
        self._memory.changed()

    async def _run(self) -> None:
        await _first(self._live_on(), self._memory.run(self._view))

    def _over(self, running: asyncio.Task[None]) -> None:
        if not running.cancelled() and (defect := running.exception()) is not None:
            self._reports.note("error", "membership ended by a defect", problem=repr(defect), exc_info=defect)

    async def _live_on(self) -> None:
        """One agent after the other."""
        failures = 0
        while True:
            self._began = self._now()
            try:
                await self._live()
            except AgentError as error:
                if self._leaving:
                    return
                failures = 1 if self._now() - self._began >= WELL_AFTER_S else failures + 1
                self._reports.wrong(SUBJECT, error)
                self._is_refused = error.message == ID_TAKEN or (self._is_refused and failures > 1)
                await asyncio.sleep(
                    ID_TAKEN_S if error.message == ID_TAKEN else RESTART.pause_s(failures, self._chance)
                )
            if self._leaving:
                return

    async def _live(self) -> None:
        """From the start of an agent to its end, which is an AgentError."""
        published = tags.tags_of(self.own)
        keys, is_first = self._rotator.known, self._lives == 0
        async with living(self._options, self.own.id, published, self._reports, keys, is_first=is_first) as life:
            self._life = life
            self._lives += 1
            self._reports.right(SUBJECT)
            self._publisher.changed()
            try:
                await _first(
                    life.wait_end(),
                    self._listener.run(life, expects_others=bool(self._options.others)),
                    self._joiner.run(life),
                    self._publisher.run(life, published),
                    self._rotator.run(life),
                )
            finally:
                self._life = None


async def _first(*works: Coroutine[Any, Any, None]) -> None:
    """Runs all until one ends; raises what that raised."""
    tasks = [asyncio.create_task(work) for work in works]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    for task in done:
        task.result()
