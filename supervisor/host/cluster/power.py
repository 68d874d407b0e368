"""Switching this machine off, and others on."""

from __future__ import annotations

from supervisor.cluster.ports import BootFailed
from supervisor.cluster.power.power_off import PowerOff, PowerOffByCommand, PowerOffDryRun
from supervisor.cluster.power.waker import Waker
from supervisor.cluster.values import Departure
from supervisor.errors import IsolatedError
from supervisor.spec.settings import HostSettings
from supervisor.telemetry.logs import host_log


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
        """Runs the command; a machine that stays on is told of."""
        try:
            await self._off.power_off(departure.value)
        except IsolatedError as error:
            host_log().error("cluster: this host has left and is still on", problem=str(error))

    async def wake(self, spare: str) -> None:
        """BootFailed."""
        try:
            await self._waker.wake(spare)
        except IsolatedError as error:
            raise BootFailed(str(error)) from error
