"""Publishes this host's tags: the newest, and not often: a cluster of 1,000 spreads about 7 changes a second."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from supervisor.cluster.serf import rpc
from supervisor.cluster.serf.connection import Answered
from supervisor.cluster.serf.errors import AgentError
from supervisor.cluster.serf.life import Life
from supervisor.cluster.serf.reports import Reports
from supervisor.cluster.serf.tags import tags_of
from supervisor.cluster.serf.view import View

EVERY_S = 2.0  # the first change goes at once; what comes before this is over goes as one
SUBJECT = "publishing tags"


class Publisher:
    """Loop thread."""

    def __init__(self, view: View, reports: Reports) -> None:
        self._view = view
        self._reports = reports
        self._changed = asyncio.Event()

    def changed(self) -> None:
        """This host is not as it was published."""
        self._changed.set()

    async def run(self, life: Life, published: Mapping[str, str]) -> None:
        """Never returns; `published`: what the agent started with. AgentError when it does not answer."""
        while True:
            await self._changed.wait()
            self._changed.clear()
            tags = tags_of(self._view.own)
            if tags == published:
                continue
            try:
                async with await life.connect() as connection:
                    await rpc.set_tags(connection, tags)
                published = tags
                self._reports.right(SUBJECT)
            except Answered as error:
                self._reports.wrong(SUBJECT, AgentError(f"the tags were not published: {error.words}"))
                self._changed.set()
            await asyncio.sleep(EVERY_S)
