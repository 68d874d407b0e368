"""The boot server as a whole: its parts, the log and the signals that end it."""

from __future__ import annotations

import asyncio

from supervisor.boot.settings import BootSettings
from supervisor.boot.site import BootSite
from supervisor.signals import StopSignals
from supervisor.telemetry.logs import host_log


def serve_rack(settings: BootSettings) -> None:
    """Serves booting machines until SIGINT or SIGTERM. Raises what BootSite does."""
    asyncio.run(_serve(settings))


async def _serve(settings: BootSettings) -> None:
    async with StopSignals() as signals, BootSite(settings, host_log()):
        why = await signals.wait_drain()
        host_log().info("stopping", signal=why)
