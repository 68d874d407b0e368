"""Looks for the cluster at the addresses that were given, until somebody else is there."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from random import Random

from supervisor.cluster.serf import rpc
from supervisor.cluster.serf.connection import Answered, TimedOut
from supervisor.cluster.serf.errors import AgentError
from supervisor.cluster.serf.life import Life
from supervisor.cluster.serf.problems import explain
from supervisor.cluster.serf.reports import Reports
from supervisor.cluster.serf.retry import Retry
from supervisor.cluster.serf.view import View

RETRY = Retry(first_s=1.0, longest_s=30.0)
# Halves of a cluster that were apart for longer than Serf remembers failed hosts (a day) find each other by this.
AGAIN_S = 600.0
SEEN_S = 1.0  # who was found is among the members by then
SUBJECT = "joining"


class Joiner:
    """Loop thread."""

    def __init__(
        self, view: View, addresses: Sequence[str], reports: Reports, chance: Random, joined: Callable[[], object]
    ) -> None:
        self._view = view
        self._addresses = list(addresses)
        self._reports = reports
        self._chance = chance
        self._joined = joined

    async def run(self, life: Life) -> None:
        """Never returns. AgentError when the agent does not answer."""
        failures = 0
        while self._addresses:
            found = await self._try_all(life)
            failures = 0 if found else failures + 1
            if self._view.others_alive:
                self._reports.right(SUBJECT)
                await asyncio.sleep(AGAIN_S * (1 - self._chance.random() / 2))
            else:
                await asyncio.sleep(RETRY.pause_s(max(1, failures), self._chance))
        await asyncio.Event().wait()

    async def _try_all(self, life: Life) -> bool:
        """Asks one after the other, in an order of its own, until there are others; whether one answered.

        A host's own address may be among them, and answers: that is not the cluster.
        """
        problems: dict[str, AgentError] = {}
        found = False
        for address in self._chance.sample(self._addresses, len(self._addresses)):
            try:
                async with await life.connect() as connection:
                    if await rpc.join(connection, address):
                        found = True
                        self._joined()
                        await asyncio.sleep(SEEN_S)
            except Answered as error:
                problems[address] = AgentError(*explain(error.words))
            except TimedOut as error:
                problems[address] = AgentError(f"{address} cannot be reached: {error}", "check `clusterJoin`")
            if self._view.others_alive:
                return True
        if problems:
            self._reports.wrong(SUBJECT, _one([problems[each] for each in self._addresses if each in problems]))
        return found


def _one(problems: Sequence[AgentError]) -> AgentError:
    """All of them: which was met last is chance, and no news."""
    messages = dict.fromkeys(each.message for each in problems)
    remedies = dict.fromkeys(each.remedy for each in problems if each.remedy is not None)
    return AgentError("; ".join(messages), "; ".join(remedies) or None)
