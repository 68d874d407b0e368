"""What a benchmark asks of a subject (isolated itself, or a peer). A subject has the parts that make sense for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, runtime_checkable

from tools.benchmarks.children import Launch
from tools.benchmarks.house import House

HOST = "127.0.0.1"


class Subject(Protocol):
    """Anything that takes part: present on this machine, ready to run."""

    @property
    def name(self) -> str:
        """As in --peers and in the table."""
        ...

    @property
    def version(self) -> str:
        """As the program says it."""
        ...


@runtime_checkable
class Serves(Subject, Protocol):
    """Answers HTTP."""

    def serve(self, folder: Path, port: int) -> Launch:
        """Returns the command of a server on 127.0.0.1:`port`; files it needs are written into `folder`.

        It answers GET / with "hello" and POST /echo with the body it got.
        """
        ...


# Milliseconds from "make an isolate" to its first answer, one per isolate; by case, "cold" or "warm pool".
type Starts = Mapping[str, Sequence[float]]


@runtime_checkable
class Boots(Subject, Protocol):
    """Starts isolates one after another."""

    @property
    def how_started(self) -> str:
        """What exactly is timed, for the reader of the figures."""
        ...

    def starts(self, folder: Path, count: int) -> Starts:
        """Starts `count` isolates per case. Raises MeasurementFailed."""
        ...


@dataclass(frozen=True)
class Idle:
    """A process (leading its session) that holds isolates which have answered once and now do nothing.

    seconds: how long it took from the first isolate's start to the last one's answer.
    """

    pid: int
    seconds: float


@runtime_checkable
class Holds(Subject, Protocol):
    """Keeps many isolates alive in one process."""

    @property
    def most(self) -> int:
        """The largest number of isolates that is worth a try; above it the benchmark skips the subject."""
        ...

    def idle(self, folder: Path, count: int) -> AbstractContextManager[Idle]:
        """Holds `count` isolates (0: the bare process) for the length of the block. Raises MeasurementFailed."""
        ...


@runtime_checkable
class Contains(Subject, Protocol):
    """Runs tenants that do not trust each other in one process."""

    @property
    def how_limited(self) -> str:
        """What was set so that a tenant cannot have more memory."""
        ...

    def house(self, folder: Path, script: Path, limit_mib: int) -> AbstractContextManager[House]:
        """Holds two tenants for the length of the block; told to, one of them runs the script. Raises
        MeasurementFailed.
        """
        ...


@dataclass(frozen=True)
class Load:
    """How many isolates run into their CPU limit at the same time, how often in all, and how many others idle."""

    busy: int
    idle: int
    terminations: int
    budget_ms: int


@dataclass(frozen=True)
class Overshoots:
    """milliseconds: CPU time of each ended request beyond the budget. other_cpu_percent: noise, see http."""

    milliseconds: Sequence[float]
    other_cpu_percent: float


@runtime_checkable
class Budgets(Subject, Protocol):
    """Gives requests a CPU time and ends those that take more."""

    def overshoots(self, folder: Path, load: Load) -> Overshoots:
        """Ends requests. Raises MeasurementFailed."""
        ...


@dataclass(frozen=True)
class Groups:
    """Milliseconds for each group: to make it and move a thread into it, and to remove it. left: were not removed."""

    placed_ms: Sequence[float]
    removed_ms: Sequence[float]
    left: int


@runtime_checkable
class Daemons(Subject, Protocol):
    """Is a host that keeps tasks: what our_host.py drives."""

    def task(self, folder: Path, port: int, *, idle: str) -> dict[str, object]:
        """Returns the settings of one more task: it answers "hello" on the port, and sleeps after `idle`."""
        ...


@runtime_checkable
class Limits(Daemons, Protocol):
    """Holds tasks to a share of a core."""

    def spinner(self, folder: Path, port: int, *, quota: float | None, core: int | None) -> dict[str, object]:
        """Returns the settings of one more task: it answers "hello" once, and computes for good."""
        ...

    def groups(self, folder: Path, count: int) -> Groups:
        """Makes what holds `count` isolates to a share, and removes it. Raises MeasurementFailed."""
        ...
