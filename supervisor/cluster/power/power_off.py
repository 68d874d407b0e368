"""How this host is switched off, or starts again: a command, or words about it until the operator turned it on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from supervisor.cluster.power.failures import PowerOffFailed, ProgramFailed
from supervisor.cluster.power.program import run_program
from supervisor.spec.program import tell_words

DEFAULT = ("poweroff",)
LIMIT_S = 60.0  # init acknowledges within seconds; a program that asks a management controller may need longer
WHY = "ISOLATED_DEPARTURE"  # tells the command why: idle, or update


class PowerOff(Protocol):
    """What ends this machine."""

    async def power_off(self, why: str) -> None:
        """Returns when the machine was told to go off, which takes it a while; PowerOffFailed if it stays on."""


class PowerOffByCommand:
    """Switches off for real."""

    def __init__(self, words: Sequence[str] = DEFAULT, limit_s: float = LIMIT_S) -> None:
        self._words = words
        self._limit_s = limit_s

    async def power_off(self, why: str) -> None:
        """Runs the command, which finds `why` in its environment."""
        try:
            await run_program(self._words, self._limit_s, {WHY: why})
        except ProgramFailed as failed:
            raise PowerOffFailed(f"this host cannot be switched off: {failed.message}", failed.remedy) from None


class PowerOffDryRun:
    """Only says what would happen."""

    def __init__(self, words: Sequence[str], tell: Callable[[str], object]) -> None:
        self._words = words
        self._tell = tell

    async def power_off(self, why: str) -> None:
        """Says which command would run, and why."""
        self._tell(f"dry run: this host ({why}) would run `{tell_words(self._words)}`")
