"""Switching this machine off, and others on."""

from __future__ import annotations

import asyncio

from supervisor.cluster.ports import BootFailed
from supervisor.cluster.power.failures import PowerOffFailed
from supervisor.cluster.power.power_off import PowerOff, PowerOffByCommand, PowerOffDryRun
from supervisor.cluster.power.waker import Waker
from supervisor.cluster.values import Departure
from supervisor.errors import IsolatedError
from supervisor.spec.settings import HostSettings
from supervisor.telemetry.logs import host_log

STILL_ON_S = (
    300.0  # a machine that was told to go off, and is still on then, stays on: OpenRC's limit is 60 s, systemd's 90
)


class Power:
    """Loop thread."""

    def __init__(self, settings: HostSettings) -> None:
        words = settings.power_off_command
        self._off: PowerOff = (
            PowerOffByCommand(words)
            if settings.power_off
            else PowerOffDryRun(words, lambda text: host_log().info("cluster: " + text))
        )
        self._waker = Waker(settings.spares)

    @property
    def spares(self) -> tuple[str, ...]:
        """Ids of the hosts that can be started, in the order of the settings."""
        return self._waker.ids

    def check(self) -> None:
        """SettingsError: files of credentials that cannot be used."""
        self._waker.check()

    async def off(self, departure: Departure) -> None:
        """Runs the command, and ends with the machine; PowerOffFailed if that stays on."""
        await self._off.power_off(departure.value)
        await asyncio.sleep(STILL_ON_S)
        raise PowerOffFailed(
            f"the command that switches this host off ended well, and it is still on {STILL_ON_S:g} s later",
            "see what the command does, and that it may",
        )

    async def wake(self, spare: str) -> None:
        """BootFailed."""
        try:
            await self._waker.wake(spare)
        except IsolatedError as error:
            raise BootFailed(str(error)) from error
