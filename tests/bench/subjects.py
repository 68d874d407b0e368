"""Subjects that pretend: for tests of the benchmarks without any JavaScript engine."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from tools.benchmarks import program
from tools.benchmarks.children import Launch
from tools.benchmarks.subject import Idle, Starts


@dataclass(frozen=True)
class Bystander:
    """Takes part, has no part in anything."""

    name: str
    version: str = "1"


@dataclass(frozen=True)
class Pretender:
    """Its program keeps the contract of program.py, without isolates."""

    name: str
    launch: Launch
    version: str = "1"
    most: int = 1000
    how_started: str = "not at all"

    def starts(self, _folder: Path, count: int) -> Starts:
        """Runs the program."""
        return program.run_starts(self.launch, count)

    def idle(self, _folder: Path, count: int) -> AbstractContextManager[Idle]:
        """Runs the program."""
        return program.hold_idle(self.launch, count)
