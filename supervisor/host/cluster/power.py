"""Switching this machine off, and others on."""

from __future__ import annotations

from supervisor.cluster.ports import BootFailed
from supervisor.cluster.values import Departure


class Power:
    """Loop thread."""

    async def off(self, departure: Departure) -> None:
        """Runs the command."""

    async def wake(self, spare: str) -> None:
        """BootFailed."""
        raise BootFailed(f"no host {spare} is known")
