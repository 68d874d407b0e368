"""`bench containment`, its first half: a tenant runs out of memory, and what becomes of everybody else."""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tools.benchmarks import procfs
from tools.benchmarks.cache import ROOT
from tools.benchmarks.figures import percentile
from tools.benchmarks.house import Event, House
from tools.benchmarks.results import MeasurementFailed
from tools.benchmarks.subject import Contains

MIB = 1024 * 1024
SCRIPTS = ROOT / "tests" / "hostile" / "scripts"
# One that grows the heap by many small things, by many strings, by one array in three ways, buffers outside of it, and
# one that grows by doubling.
SHAPES = ("many-arrays", "many-strings", "one-big-array", "push-1e8", "spread-repeat", "arraybuffers", "map-grow")
TIMES_LIMIT = 2  # of the limit: what the peak of a process may be at most to count as within it

POLL_SECONDS = 0.005  # between two looks at the memory: at 4 GiB/s, 20 MiB pass in it
ASK_EVERY_SECONDS = 0.02
QUIET_SECONDS = 1.0  # of the neighbour's answers, before the script is let loose and after its end
PATIENCE_SECONDS = 5.0  # from when on an answer that has not come is none


@dataclass(frozen=True)
class Terms:
    """limit_mib: of each tenant. seconds: after which a tenant that is not over runs on. guard_mib: RSS at which the
    process is ended, because it would take the whole machine's.
    """

    limit_mib: int = 128
    seconds: float = 20.0
    guard_mib: int = 2048


@dataclass
class Seen:
    """What was seen of one process. Times in seconds, memory in bytes; None: it did not come to that."""

    rest: int = 0  # RSS before the script
    peak: int = 0  # RSS at most from then on
    after: int = 0  # RSS at the end
    quiet: list[float] = field(default_factory=list)  # what the neighbour's answers took before
    during: list[float] = field(default_factory=list)  # and from when the script was let loose
    over: Event | None = None  # the tenant's end
    took: float | None = None  # until then, or until the process was over
    neighbour: bool = False  # answered once it was all over
    fresh: bool = False  # a new tenant could be made, and answered
    died: int | None = None  # the process's return code
    guarded: bool = False  # it was ended by the guard


def measure(subject: Contains, shape: str, terms: Terms, folder: Path) -> dict[str, float | str]:
    """Lets one script loose in a fresh process; returns metrics and words. Raises MeasurementFailed."""
    with subject.house(folder, SCRIPTS / f"oom-{shape}.js", terms.limit_mib) as house:
        return judge(_Watch(house, terms).run(), terms)


def judge(seen: Seen, terms: Terms) -> dict[str, float | str]:
    """Returns the verdicts (1: yes, 0: no), the figures, and words for what happened.

    contained: the process lives, the tenant is over, its neighbour answers and a new one can be made.
    within: contained, and the process never had more than TIMES_LIMIT times the limit of one tenant.
    """
    survived = seen.died is None and not seen.guarded
    contained = survived and seen.over is not None and seen.neighbour and seen.fresh
    within = contained and seen.peak <= TIMES_LIMIT * terms.limit_mib * MIB
    figures: dict[str, float | str] = {
        "survived": float(survived),
        "contained": float(contained),
        "within": float(within),
        "rest_rss_mib": seen.rest / MIB,
        "peak_rss_mib": seen.peak / MIB,
        "rise_rss_mib": (seen.peak - seen.rest) / MIB,
        "process": _process(seen, terms),
        "tenant": _tenant(seen, terms, survived=survived),
        "neighbour": "answers" if seen.neighbour else "silent" if survived else "lost",
        "fresh": "yes" if seen.fresh else "no",
    }
    if survived:
        figures["after_rss_mib"] = seen.after / MIB
    if seen.took is not None:
        figures["took_ms"] = seen.took * 1e3
    for name, waits in (("quiet", seen.quiet), ("neighbour", seen.during)):
        if waits:
            figures[f"{name}_p99_ms"] = percentile(waits, 99) * 1e3
            figures[f"{name}_worst_ms"] = max(waits) * 1e3
    return figures


def score(subject: str, worst: Sequence[Mapping[str, float]], asked: int) -> str:
    """Says in how many of the shapes asked for the verdicts hold in every round."""
    contained, within = (sum(verdicts[name] == 1 for verdicts in worst) for name in ("contained", "within"))
    return (
        f"{subject}: {contained} of {asked} contained, "
        f"{within} of {asked} with a peak RSS of at most {TIMES_LIMIT} times the limit"
    )


def _process(seen: Seen, terms: Terms) -> str:
    if seen.guarded:
        return f"ended at {terms.guard_mib} MiB"
    if seen.died is None:
        return "alive"
    try:
        return f"died: {signal.Signals(-seen.died).name}"
    except ValueError:
        return f"died: code {seen.died}"


def _tenant(seen: Seen, terms: Terms, *, survived: bool) -> str:
    if seen.over is not None:
        return f"{seen.over.how}: {seen.over.reason}" if seen.over.reason else seen.over.how
    if seen.guarded:
        return "still growing"
    return f"runs on after {terms.seconds:g} s" if survived else "took the process with it"


class _Over(Exception):
    """The process is over, or has to be."""


class _Watch:
    """One process, from its rest to its end. Asks the neighbour all along."""

    def __init__(self, house: House, terms: Terms) -> None:
        self._house = house
        self._terms = terms
        self._seen = Seen()
        self._answers = self._seen.quiet
        self._ask_at = 0.0
        self._asked_at: float | None = None  # the question that is not answered yet

    def run(self) -> Seen:
        """Returns all that was seen; never raises but MeasurementFailed."""
        seen = self._seen
        self._rest()
        try:
            self._let_loose()
            self._until(time.monotonic() + QUIET_SECONDS)
            self._aftermath()
        except _Over:
            pass
        if self._asked_at is not None:
            self._answers.append(time.monotonic() - self._asked_at)
        return seen

    def _rest(self) -> None:
        """The time before the script. Raises MeasurementFailed if the process does not outlive it."""
        child = self._house.child
        try:
            procfs.give_up_first(child.pid)
            self._until(time.monotonic() + QUIET_SECONDS)
            procfs.reset_peak(child.pid)
            self._seen.peak = 0
            self._seen.rest = self._look()
        except (_Over, OSError) as reason:
            child.check()
            raise MeasurementFailed(f"did not rest before the script: {reason}") from reason

    def _let_loose(self) -> None:
        self._answers = self._seen.during
        began = time.monotonic()
        self._house.tell("go")
        try:
            over = self._until(began + self._terms.seconds, "over")
        except _Over:
            self._seen.took = time.monotonic() - began
            self._seen.over = self._last_words("over")
            raise
        if over is not None:
            self._seen.over, self._seen.took = over, over.at - began

    def _last_words(self, kind: str) -> Event | None:
        """What a process that is over had still said."""
        while (event := self._house.next(POLL_SECONDS)) is not None:
            if event.kind == kind:
                return event
        return None

    def _aftermath(self) -> None:
        """Whether the neighbour answers a question of now, and whether a new tenant can be made."""
        began = time.monotonic()
        deadline = began + PATIENCE_SECONDS
        while not self._seen.neighbour and (answer := self._until(deadline, "answer")) is not None:
            # The answer to a question from before the end of the script is none to one of now.
            self._seen.neighbour = answer.at - self._answers[-1] >= began
        self._house.tell("fresh")
        self._seen.fresh = self._until(time.monotonic() + PATIENCE_SECONDS, "fresh") is not None
        self._seen.after = self._look()

    def _until(self, deadline: float, kind: str | None = None) -> Event | None:
        """Watches until an event of this kind, which it returns, or until the deadline. Raises _Over."""
        while (now := time.monotonic()) < deadline:
            self._look()
            if self._asked_at is None and now >= self._ask_at:
                self._asked_at = now
                self._house.tell("ask")
            event = self._house.next(POLL_SECONDS)
            if event is None:
                continue
            if event.kind == "answer" and self._asked_at is not None:
                self._answers.append(event.at - self._asked_at)
                self._asked_at, self._ask_at = None, event.at + ASK_EVERY_SECONDS
            if event.kind == kind:
                return event
        return None

    def _look(self) -> int:
        """Reads the memory: RSS now. Raises _Over if the process is over, or has to be."""
        process = self._house.child.process
        memory = procfs.resident(process.pid)
        if memory is None or process.poll() is not None:
            try:
                self._seen.died = process.wait(PATIENCE_SECONDS)
            except subprocess.TimeoutExpired as error:
                raise MeasurementFailed("lost its memory, but did not end") from error
            raise _Over
        self._seen.peak = max(self._seen.peak, memory.peak)
        if memory.now > self._terms.guard_mib * MIB:
            self._seen.guarded = True
            process.kill()
            raise _Over
        return memory.now
