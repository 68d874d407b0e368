"""What a task did in this process: counts, and its last ends."""

from __future__ import annotations

from dataclasses import dataclass

from supervisor.pool.exchange import Failure
from supervisor.spec.exits import Exit

# Enough to see whether a task fails always or now and then; more is in the log.
LAST_EXITS = 10


@dataclass(frozen=True, slots=True)
class PastExit:
    """An end and when it came, seconds since 1970."""

    time: float
    end: Exit


class History:
    """Counts of one task, also across its replacement. Loop thread."""

    __slots__ = ("boots", "cpu_s", "exits", "failures", "requests", "throttled_s")

    def __init__(self) -> None:
        self.requests = 0  # taken or refused
        self.failures: dict[str, int] = {}  # of those: answered by the host in the program's place, by reason
        self.boots = 0
        self.cpu_s = 0.0  # CPU time of its isolates, as far as it was looked at
        self.throttled_s = 0.0  # for how long their quota made those stand still that are over
        self.exits: tuple[PastExit, ...] = ()  # newest first

    def note_failure(self, failure: Failure) -> None:
        """A client is told `failure`."""
        self.failures[failure.reason] = self.failures.get(failure.reason, 0) + 1

    def note_exit(self, end: Exit, time: float) -> None:
        """An isolate ended at `time`, seconds since 1970."""
        self.exits = (PastExit(time, end), *self.exits[: LAST_EXITS - 1])

    def absorb(self, earlier: History) -> None:
        """Takes over what came before: this one goes on for both."""
        self.requests += earlier.requests
        self.boots += earlier.boots
        self.cpu_s += earlier.cpu_s
        self.throttled_s += earlier.throttled_s
        for reason, count in earlier.failures.items():
            self.failures[reason] = self.failures.get(reason, 0) + count
        exits = sorted((*self.exits, *earlier.exits), key=lambda past: past.time, reverse=True)
        self.exits = tuple(exits[:LAST_EXITS])
