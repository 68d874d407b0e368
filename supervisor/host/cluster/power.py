"""Switching this machine off, or off and on again, and others on."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from supervisor.cluster.ports import BootFailed
from supervisor.cluster.power.failures import PowerOffFailed
from supervisor.cluster.power.power_off import PowerOff, PowerOffByCommand, PowerOffDryRun
from supervisor.cluster.power.program import why_not_started
from supervisor.cluster.power.waker import Waker
from supervisor.cluster.values import Departure
from supervisor.errors import IsolatedError
from supervisor.printable import on_one_line
from supervisor.spec.program import tell_words
from supervisor.spec.settings import HostSettings
from supervisor.telemetry.logs import host_log

STILL_ON_S = (
    300.0  # a machine that was told to go off, and is still on then, stays on: OpenRC's limit is 60 s, systemd's 90
)


class Power:
    """Loop thread."""

    def __init__(self, settings: HostSettings) -> None:
        self._settings = settings
        commands = {Departure.IDLE: settings.power_off_command, Departure.UPDATE: settings.reboot_command}
        self._off = {departure: _power_off(words, settings) for departure, words in commands.items()}
        self._waker = Waker(settings.spares)

    @property
    def spares(self) -> tuple[str, ...]:
        """Ids of the hosts that can be started, in the order of the settings."""
        return self._waker.ids

    def check(self) -> None:
        """SettingsError: files of credentials that cannot be used. Warns of commands that cannot be started."""
        self._waker.check()
        settings = self._settings
        if settings.power_off:
            for field, words in (
                ("powerOffCommand", settings.power_off_command),
                ("rebootCommand", settings.reboot_command),
            ):
                if why := why_not_started(words):
                    _warn(field, tell_words(words), why)
        for spare, why in self._waker.not_started():
            _warn("spares", str(spare), why)

    async def off(self, departure: Departure) -> None:
        """Runs the command, and ends with the machine; PowerOffFailed if that stays on."""
        await self._off[departure].power_off(departure.value)
        await asyncio.sleep(STILL_ON_S)
        raise PowerOffFailed(
            f"the command that switches this host off or starts it again ended well {STILL_ON_S:g} s ago",
            "see what the command does, and that it may",
        )

    async def wake(self, spare: str) -> None:
        """BootFailed."""
        try:
            await self._waker.wake(spare)
        except IsolatedError as error:
            raise BootFailed(on_one_line(str(error))) from error


def _power_off(words: Sequence[str], settings: HostSettings) -> PowerOff:
    if settings.power_off:
        return PowerOffByCommand(words)
    return PowerOffDryRun(words, lambda text: host_log().info("cluster: " + text))


def _warn(field: str, value: str, problem: str) -> None:
    """Whoever needs the command some day should not be the first to know."""
    host_log().warning(
        "a command cannot be started", field=field, value=value, problem=problem, remedy="check its path and its mode"
    )
