"""What goes wrong between this host and its agent, or the others."""

from __future__ import annotations

from supervisor.errors import IsolatedError, Problem, SettingsError
from supervisor.printable import shown


class AgentError(IsolatedError):
    """Serf's agent cannot be started or does not do what it was asked; the message says why."""


class IdentityRefused(SettingsError):
    """What this host would tell others about itself cannot be told."""

    def __init__(self, field: str, value: str, allowed: str, remedy: str) -> None:
        problem = Problem("the cluster cannot carry this", remedy, allowed=allowed, field=field, value=shown(value))
        super().__init__([problem])
