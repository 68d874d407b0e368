"""Where events are told: the host's log, given by the composition root."""

from __future__ import annotations

from typing import Protocol


class Log(Protocol):
    """A log with levels; `more` is what programs read beside the event."""

    def debug(self, event: str, **more: object) -> object:
        """For those who look for a fault."""

    def info(self, event: str, **more: object) -> object:
        """What happens."""

    def warning(self, event: str, **more: object) -> object:
        """What somebody should look at."""

    def error(self, event: str, **more: object) -> object:
        """What has failed."""
