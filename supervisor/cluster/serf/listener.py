"""Hears from the agent who comes, goes and changes, and asks again for all when it may have missed something."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from supervisor.cluster.serf import rpc
from supervisor.cluster.serf.connection import Connection
from supervisor.cluster.serf.life import Life
from supervisor.cluster.serf.reports import Reports
from supervisor.cluster.serf.rpc import Ended, News
from supervisor.cluster.serf.seen import Seen
from supervisor.cluster.serf.tags import foreign
from supervisor.cluster.serf.view import View
from supervisor.cluster.values import MemberState

# Nothing should be missed; if it is, not for longer. An agent that hangs is found by it, too, and started again.
RESYNC_S = 10.0
# A new agent has found everybody by then: it takes 1.4 s with 80 hosts, and 10 s more for one of them that is switched
# off and comes first in the snapshot.
SETTLE_S = 15.0
LOOK_S = 0.5  # until then it is asked so often, since it keeps news back for 1 to 3 s


class Listener:
    """Keeps `view` right. Loop thread."""

    def __init__(self, view: View, reports: Reports, now: Callable[[], float], changed: Callable[[], object]) -> None:
        self._view = view
        self._reports = reports
        self._now = now
        self._changed = changed
        self._listed: set[str] | None = None  # names that the present agent knows; None: there is no such agent
        self._expects_others = False
        self._settles = 0.0  # when it will have found everybody
        self._settled = False
        self._look = asyncio.Event()

    @property
    def is_current(self) -> bool:
        """Whether the view is what the present agent says, and that agent has found everybody that it can."""
        if self._listed is None:
            return False
        awaited = (each.id for each in self._view.members if each.alive is not MemberState.LEFT)
        complete = self._listed.issuperset(awaited)
        return self._settled or (complete and (self._view.others_alive or not self._expects_others))

    @property
    def has_met_others(self) -> bool:
        """Whether the present agent knows anybody else, and somebody is alive."""
        return self._listed is not None and len(self._listed) > 1 and self._view.others_alive

    def look(self) -> None:
        """There may be news that the agent keeps back: it merges a second of them."""
        self._look.set()

    async def run(self, life: Life, *, expects_others: bool) -> None:
        """Listens for as long as the agent answers: AgentError."""
        self._expects_others = expects_others
        self._settles, self._settled = self._now() + SETTLE_S, False
        try:
            while True:
                async with await life.connect() as connection:
                    connection.on_lost(self.look)
                    await rpc.stream_members(connection, self._heard)
                    await self._follow(connection)
        finally:
            self._listed = None

    async def _follow(self, connection: Connection) -> None:
        """Returns when the connection is lost."""
        while not connection.is_lost:
            self._look.clear()
            self._all(await rpc.members(connection))
            try:
                async with asyncio.timeout(RESYNC_S if self._settled else LOOK_S):
                    await self._look.wait()
            except TimeoutError:
                pass

    def _heard(self, news: News | Ended) -> None:
        if isinstance(news, Ended):
            self._view.end(news.name, news.boot_time, self._now())
        elif news.reaped:
            for each in news.members:
                self._view.give_up(each.name, self._now())
        else:
            self._see(news.members)
        self._changed()

    def _all(self, listed: Sequence[Seen]) -> None:
        self._see(listed)
        if self._now() >= self._settles:
            self._view.miss(listed, self._now())
            self._settled = True
        self._changed()

    def _see(self, members: Sequence[Seen]) -> None:
        self._listed = {each.name for each in members} | (self._listed or set())
        for stranger in self._view.see(members, self._now()):
            self._reports.note("warning", foreign(stranger))
