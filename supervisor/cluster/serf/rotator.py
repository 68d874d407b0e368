"""Brings the cluster from the keys that it has to those that this host was given."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from random import Random

from supervisor.cluster.serf import rpc
from supervisor.cluster.serf.connection import Answered, TimedOut
from supervisor.cluster.serf.errors import AgentError
from supervisor.cluster.serf.life import Life
from supervisor.cluster.serf.reports import Reports
from supervisor.cluster.serf.retry import Retry
from supervisor.cluster.serf.rotation import Step, done, steps

RETRY = Retry(first_s=5.0, longest_s=120.0)
SUBJECT = "changing keys"


class Rotator:
    """Loop thread."""

    def __init__(self, keys: Sequence[bytes], reports: Reports, chance: Random) -> None:
        self._keys = tuple(keys)  # that the cluster has, as far as this host knows
        self._wanted = self._keys
        self._reports = reports
        self._chance = chance
        self._changed = asyncio.Event()

    @property
    def known(self) -> tuple[bytes, ...]:
        """What an agent needs to find the cluster wherever a change of keys has got to; the one in use first."""
        return self._keys + tuple(key for key in self._wanted if key not in self._keys)

    def want(self, keys: Sequence[bytes]) -> None:
        """From now on these, the first in use."""
        self._wanted = tuple(keys)
        self._changed.set()

    async def run(self, life: Life) -> None:
        """Never returns. AgentError when the agent does not answer."""
        failures = 0
        while True:
            todo = steps(self._keys, self._wanted)
            if not todo:
                failures = 0
                await self._changed.wait()
                self._changed.clear()
            elif await self._take(life, todo[0]):
                failures = 0
            else:
                failures += 1
                await asyncio.sleep(RETRY.pause_s(failures, self._chance))

    async def _take(self, life: Life, step: Step) -> bool:
        """Whether all members did it."""
        try:
            async with await life.connect() as connection:
                await rpc.change_key(connection, step)
        except (Answered, TimedOut) as error:
            words = error.words if isinstance(error, Answered) else str(error)
            remedy = (
                "it is tried again; hosts that do not answer need the new key in their `clusterKeyFile` to come back"
            )
            self._reports.wrong(SUBJECT, AgentError(f"'{step.command}' is not done on all hosts: {words}", remedy))
            return False
        self._keys = done(self._keys, step)
        self._reports.right(SUBJECT)
        self._reports.note("info", f"'{step.command}' is done on all hosts")
        return True
