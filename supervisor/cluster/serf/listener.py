"""Hears from the agent who comes, goes and changes, and asks again for all when it may have missed something."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from supervisor.cluster.serf import rpc
from supervisor.cluster.serf.connection import Connection
from supervisor.cluster.serf.life import Life
from supervisor.cluster.serf.reports import Reports
from supervisor.cluster.serf.rpc import News
from supervisor.cluster.serf.seen import Seen
from supervisor.cluster.serf.tags import foreign
from supervisor.cluster.serf.view import View

RESYNC_S = 60.0  # nothing should be missed; if it is, not for longer
# A new agent has found everybody by then: it takes 1.4 s with 80 hosts, and 10 s more for one of them that is switched
# off and comes first in the snapshot.
SETTLE_S = 15.0


class Listener:
    """Keeps `view` right. Loop thread."""

    def __init__(self, view: View, reports: Reports, now: Callable[[], float], changed: Callable[[], object]) -> None:
        self._view = view
        self._reports = reports
        self._now = now
        self._changed = changed
        self._settles = 0.0  # when the present agent will have found everybody
        self.is_current = False

    async def run(self, life: Life, *, expects_others: bool) -> None:
        """Listens for as long as the agent answers: AgentError."""
        self._settles = self._now() + SETTLE_S
        try:
            while True:
                async with await life.connect() as connection:
                    await rpc.stream_members(connection, self._heard)
                    await self._follow(connection, expects_others=expects_others)
        finally:
            self.is_current = False

    async def _follow(self, connection: Connection, *, expects_others: bool) -> None:
        """Returns when the connection is lost."""
        while not connection.lost.is_set():
            self._all(await rpc.members(connection), expects_others=expects_others)
            until_settled = self._settles - self._now()
            try:
                async with asyncio.timeout(until_settled if until_settled > 0 else RESYNC_S):
                    await connection.lost.wait()
            except TimeoutError:
                pass

    def _heard(self, news: News) -> None:
        if news.reaped:
            for each in news.members:
                self._view.forget(each.name)
        else:
            self._see(news.members)
        self._changed()

    def _all(self, listed: Sequence[Seen], *, expects_others: bool) -> None:
        self._see(listed)
        settled = self._now() >= self._settles
        if settled:
            self._view.miss(listed, self._now())
        names = {each.name for each in listed}
        complete = all(member.id in names for member in self._view.members)
        self.is_current = settled or (complete and (self._view.others_alive or not expects_others))
        self._changed()

    def _see(self, members: Sequence[Seen]) -> None:
        for stranger in self._view.see(members, self._now()):
            self._reports.note("warning", foreign(stranger))
