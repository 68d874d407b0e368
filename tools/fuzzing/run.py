"""Lets batch after batch loose, replaces children that have lost too much, and keeps what may not be."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tools.fuzzing.children import Child, Result
from tools.fuzzing.ended import Kind, Wrong
from tools.fuzzing.findings import Finding, keep, same
from tools.fuzzing.limits import MOST_PARKED, MOST_RSS_MIB
from tools.fuzzing.minimise import Minimiser
from tools.fuzzing.program import Program

ONCE = "late-once"  # the folder of what was late once, and not when it ran again


@dataclass
class Tally:
    """What a run has seen."""

    programs: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    syntax_errors: int = 0
    parked: int = 0
    replaced: int = 0
    most_rss_mib: float = 0.0
    not_repeated: int = 0  # programs that were late once, and not when they ran again by themselves
    findings: list[Path] = field(default_factory=list)
    known: Counter[str] = field(default_factory=Counter)  # findings by what they have in common


class Run:
    """One run. `argv` starts a child."""

    def __init__(self, argv: Sequence[str], keep_in: Path, tell: Callable[[str], None]) -> None:
        self.tally = Tally()
        self._argv = argv
        self._keep_in = keep_in
        self._tell = tell

    def until(self, end: float, batches: Iterable[list[Program]], progress: Callable[[Tally], None]) -> None:
        """Goes on until the clock says `end` (time.monotonic), or there are no more batches."""
        child: Child | None = None
        try:
            for batch in batches:
                child = child or Child(self._argv)
                result = child.run(batch)
                child = self._next(child, result)
                self._count(result)
                for wrong in result.wrong:
                    self._note(wrong, batch, result)
                progress(self.tally)
                if time.monotonic() >= end:
                    break
        finally:
            if child is not None:
                child.close()

    def _next(self, child: Child, result: Result) -> Child | None:
        """The child for the next batch; None: a new one."""
        after = result.after
        faulty = any(wrong.kind is Kind.FAULT for wrong in result.wrong)
        if after is not None and not faulty and after.parked < MOST_PARKED and after.rss_mib < MOST_RSS_MIB:
            return child
        in_order = child.close()
        self.tally.replaced += 1
        if after is not None and not in_order:
            result.wrong.append(Wrong(Kind.DEATH, "the child did not end in good order when it was told to"))
        return None

    def _count(self, result: Result) -> None:
        tally = self.tally
        tally.programs += len(result.ended)
        tally.reasons.update(ended.reason or "?" for ended in result.ended)
        tally.parked += sum(ended.parked for ended in result.ended)
        tally.syntax_errors += sum(ended.syntax_error for ended in result.ended)
        if result.after is not None:
            tally.most_rss_mib = max(tally.most_rss_mib, result.after.rss_mib)

    def _note(self, wrong: Wrong, batch: Sequence[Program], result: Result) -> None:
        """Keeps a finding; makes it small the first time that its like is seen."""
        like = same(wrong)
        first = like not in self.tally.known
        small = None
        if first:
            self._tell(f"{wrong.kind}: {wrong.text} - making it small")
            small = Minimiser(lambda programs: self._repeats(wrong.kind, programs)).small(batch, wrong.program)
        ended = next((ended for ended in result.ended if ended.program == wrong.program), None)
        finding = Finding(wrong, batch, result.stderr, small, ended)
        if wrong.kind is Kind.LATE and first and small is None:
            self.tally.not_repeated += 1
            place = keep(finding, self._keep_in / ONCE)
            self._tell(f"late: not seen again, so it is likely the machine's; kept in {place}")
            return
        self.tally.known[like] += 1
        place = keep(finding, self._keep_in)
        self.tally.findings.append(place)
        again = ", not seen again when it was repeated" if first and small is None else ""
        self._tell(f"{wrong.kind}: {wrong.text}\n  kept in {place}{again}")

    def _repeats(self, kind: Kind, programs: Sequence[Program]) -> bool:
        child = Child(self._argv)
        try:
            return any(wrong.kind is kind for wrong in child.run(programs).wrong)
        finally:
            child.close()
