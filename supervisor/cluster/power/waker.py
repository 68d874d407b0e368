"""Starts spare hosts, each in its own way."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from supervisor.cluster.power.credentials import read_credentials
from supervisor.cluster.power.failures import ProgramFailed, WakeFailed
from supervisor.cluster.power.magic_packet import send_magic_packets
from supervisor.cluster.power.program import run_program, why_not_started
from supervisor.cluster.power.redfish import Patience, power_on
from supervisor.errors import Problem, SettingsError
from supervisor.spec.redfish import Redfish
from supervisor.spec.spares import Command, Spare
from supervisor.spec.wake_on_lan import WakeOnLan

LIMIT_S = 120.0  # a command may watch until the machine is on
WHO = "ISOLATED_SPARE"  # tells the command which host


class Waker:
    """The spare hosts of the settings. Keeps nothing from one start to the next; files are read each time."""

    def __init__(self, spares: Sequence[Spare], *, limit_s: float = LIMIT_S, patience: Patience | None = None) -> None:
        self._spares = {spare.id: spare for spare in spares}
        self._limit_s = limit_s
        self._patience = patience or Patience()

    @property
    def ids(self) -> tuple[str, ...]:
        """The hosts that can be started, in the order of the settings."""
        return tuple(self._spares)

    def check(self) -> None:
        """Raises SettingsError with every credentials file that cannot be used, so that it is known before the need."""
        problems: list[Problem] = []
        for number, spare in enumerate(self._spares.values(), 1):
            if isinstance(spare.way, Redfish):
                try:
                    read_credentials(Path(spare.way.credentials))
                except SettingsError as error:
                    problems += (_of_spare(each, number, spare) for each in error.problems)
        if problems:
            raise SettingsError(problems)

    def not_started(self) -> Iterator[tuple[Spare, str]]:
        """The spares whose command is no program that can be started, and why."""
        for spare in self._spares.values():
            if isinstance(spare.way, Command) and (why := why_not_started(spare.way.words)):
                yield spare, why

    async def wake(self, host: str) -> None:
        """Returns when the host was told to start, and by Redfish when it is on; WakeFailed with words."""
        spare = self._spares.get(host)
        if spare is None:
            raise WakeFailed(f"there is no spare host {host}", "name it in the settings")
        try:
            await self._start(spare)
        except (WakeFailed, ProgramFailed) as failed:
            raise WakeFailed(f"the spare host {host} was not started: {failed.message}", failed.remedy) from None

    async def _start(self, spare: Spare) -> None:
        match spare.way:
            case WakeOnLan():
                await send_magic_packets(spare.way)
            case Redfish():
                await power_on(spare.way, self._patience)
            case Command():
                await run_program(spare.way.words, self._limit_s, {WHO: spare.id})


def _of_spare(problem: Problem, number: int, spare: Spare) -> Problem:
    """With the setting's name, and which of its spares it is about."""
    message = f"spare {number}, {spare.id}: {problem.field}: {problem.message}"
    return replace(problem, field="spares", message=message)
