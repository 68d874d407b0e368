"""Looks for the cluster where it was told to and where others were before."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Sequence
from random import Random

from supervisor.cluster.serf import rpc
from supervisor.cluster.serf.connection import Answered, TimedOut
from supervisor.cluster.serf.errors import AgentError
from supervisor.cluster.serf.life import Life
from supervisor.cluster.serf.listener import Listener
from supervisor.cluster.serf.problems import explain
from supervisor.cluster.serf.reports import Reports
from supervisor.cluster.serf.retry import Retry
from supervisor.cluster.serf.view import View

RETRY = Retry(first_s=1.0, longest_s=30.0)
# Halves of a cluster that were apart for longer than Serf remembers failed hosts (a day) find each other by this.
AGAIN_S = 600.0
SEEN_S = 1.0  # who was found is among the members by then
# Members of before that are asked, too: an agent that dies within half a second of a join has it not in its snapshot.
KNOWN = 3
SUBJECT = "joining"


class Joiner:
    """Loop thread."""

    def __init__(
        self, view: View, listener: Listener, addresses: Sequence[str], reports: Reports, chance: Random
    ) -> None:
        self._view = view
        self._listener = listener
        self._given = list(addresses)
        self._reports = reports
        self._chance = chance

    async def run(self, life: Life) -> None:
        """Never returns. AgentError when the agent does not answer.

        Every address is asked until it has answered once, though others were met meanwhile: of hosts that start at the
        same time some have met each other, and not the rest. A host's own address may be among them, and answers.
        """
        missing, failures = set(self._given), 0
        while True:
            answered, problems = await self._ask(life, self._addresses(missing))
            missing -= answered
            if answered and not self._listener.has_met_others:
                await asyncio.sleep(SEEN_S)
            if self._listener.has_met_others:
                self._reports.right(SUBJECT)
            elif problems:
                self._reports.wrong(SUBJECT, _one([problems[each] for each in sorted(problems)]))
            if self._listener.has_met_others and not missing:
                missing, failures = set(self._given), 0
                await asyncio.sleep(AGAIN_S * (1 - self._chance.random() / 2))
            else:
                failures += 1
                await asyncio.sleep(RETRY.pause_s(failures, self._chance))

    def _addresses(self, missing: Collection[str]) -> list[str]:
        """In an order of its own, those that were given first; once all of them answered, all again."""
        given = [each for each in self._given if each in missing] or self._given
        known = [each for each in self._view.addresses if each not in self._given]
        some = self._chance.sample(known, min(KNOWN, len(known)))
        return self._chance.sample(given, len(given)) + some

    async def _ask(self, life: Life, addresses: Sequence[str]) -> tuple[set[str], dict[str, AgentError]]:
        """Those that answered, and why others did not."""
        answered: set[str] = set()
        problems: dict[str, AgentError] = {}
        for address in addresses:
            try:
                async with await life.connect() as connection:
                    if await rpc.join(connection, address):
                        answered.add(address)
                        self._listener.look()
            except Answered as error:
                problems[address] = AgentError(*explain(error.words))
            except TimedOut as error:
                problems[address] = AgentError(f"{address} cannot be reached: {error}", "check `clusterJoin`")
        return answered, problems


def _one(problems: Sequence[AgentError]) -> AgentError:
    """All of them: which was met last is chance, and no news."""
    messages = dict.fromkeys(each.message for each in problems)
    remedies = dict.fromkeys(each.remedy for each in problems if each.remedy is not None)
    return AgentError("; ".join(messages), "; ".join(remedies) or None)
