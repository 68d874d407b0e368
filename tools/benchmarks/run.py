"""Runs a benchmark: who takes part, every turn in order, what failed. Peers may fail; the run goes on."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tools.benchmarks.cache import Cache, Unavailable
from tools.benchmarks.results import Failure, MeasurementFailed, Outcome, Participant, Sample
from tools.benchmarks.schedule import Turn, turns
from tools.benchmarks.subject import Subject

type Say = Callable[[str], None]
type Obtain = Callable[[Cache], Subject]


@dataclass(frozen=True)
class Lineup:
    """Who takes part, and everybody who was asked."""

    present: Sequence[Subject]
    participants: Sequence[Participant]


def line_up(wanted: Mapping[str, Obtain], cache: Cache, say: Say) -> Lineup:
    """Obtains every subject in the order given; who cannot be had is absent with the reason."""
    present: list[Subject] = []
    participants: list[Participant] = []
    for name, obtain in wanted.items():
        say(f"looking for {name}")
        try:
            subject = obtain(cache)
        except Unavailable as reason:
            participants.append(Participant(name, absent=str(reason)))
            continue
        present.append(subject)
        participants.append(Participant(name, subject.version))
    return Lineup(present, participants)


@dataclass(frozen=True)
class Plan[S: Subject]:
    """A benchmark, ready to run.

    part: returns the subject as one that can be measured, or None if it has no part in this case.
    measure: gets a subject, the case and an empty folder; returns metrics by case (the one asked for, or finer ones).
    A value that is text goes to the sample's words.
    note: what a reader should know of a subject's figures.
    """

    benchmark: str
    cases: Sequence[str]
    rounds: int
    options: Mapping[str, object]
    part: Callable[[Subject, str], S | None]
    measure: Callable[[S, str, Path], Mapping[str, Mapping[str, float | str]]]
    note: Callable[[S], str] | None = None


def run[S: Subject](plan: Plan[S], lineup: Lineup, say: Say) -> Outcome:
    """Takes all turns. A subject that failed in a case is not asked again in that case."""
    samples: list[Sample] = []
    failures: dict[tuple[str, str], Failure] = {}
    notes: dict[str, str] = {}
    for turn in turns(plan.cases, plan.rounds, lineup.present):
        key = (turn.case, turn.subject.name)
        part = plan.part(turn.subject, turn.case)
        if part is None or key in failures:
            continue
        if plan.note is not None:
            notes[turn.subject.name] = plan.note(part)
        say(f"{plan.benchmark}: {turn.case}, round {turn.round + 1} of {plan.rounds}, {turn.subject.name}")
        try:
            samples += _take(plan, turn, part)
        except MeasurementFailed as reason:
            failures[key] = Failure(turn.case, turn.subject.name, str(reason))
    return Outcome(
        benchmark=plan.benchmark,
        participants=lineup.participants,
        samples=samples,
        failures=list(failures.values()),
        options=plan.options,
        notes=notes,
    )


def _take[S: Subject](plan: Plan[S], turn: Turn[Subject], part: S) -> list[Sample]:
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        measured = plan.measure(part, turn.case, Path(folder))
    return [_sample(turn, case, values) for case, values in measured.items()]


def _sample(turn: Turn[Subject], case: str, values: Mapping[str, float | str]) -> Sample:
    metrics = {name: value for name, value in values.items() if not isinstance(value, str)}
    words = {name: value for name, value in values.items() if isinstance(value, str)}
    return Sample(case, turn.subject.name, turn.round, metrics, words)
