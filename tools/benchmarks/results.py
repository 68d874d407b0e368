"""What a benchmark found out: values only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from tools.benchmarks.figures import median

OURS = "isolated"
SERVED = "isolated serve"  # the same by its daemon
OUR_NAMES = frozenset({OURS, SERVED})


class MeasurementFailed(Exception):
    """One subject could not be measured in one case; the others go on."""


@dataclass(frozen=True)
class Participant:
    """One subject of a run: what it is called, which version, or why it is absent (None: it took part)."""

    name: str
    version: str = ""
    absent: str | None = None


@dataclass(frozen=True)
class Sample:
    """What one turn measured. The metrics' names carry their units, e.g. `p99_ms`; words say what is no number."""

    case: str
    subject: str
    round: int
    metrics: Mapping[str, float]
    words: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Failure:
    """A turn that gave no sample, and why."""

    case: str
    subject: str
    reason: str


@dataclass(frozen=True)
class Outcome:
    """A whole benchmark."""

    benchmark: str
    participants: Sequence[Participant]
    samples: Sequence[Sample]
    failures: Sequence[Failure] = ()
    options: Mapping[str, object] = field(default_factory=dict)
    notes: Mapping[str, str] = field(default_factory=dict)  # by subject: what its figures mean

    @property
    def our_failures(self) -> list[str]:
        """Reasons for which the run as a whole failed: only what concerns us, never a peer."""
        absent = [f"{p.name}: {p.absent}" for p in self.participants if p.name in OUR_NAMES and p.absent is not None]
        return absent + [f"{f.subject}, {f.case}: {f.reason}" for f in self.failures if f.subject in OUR_NAMES]


@dataclass(frozen=True)
class Row:
    """A subject in a case over all rounds. low and high are the smallest and largest round, not an interval."""

    case: str
    subject: str
    rounds: int
    median: Mapping[str, float]
    low: Mapping[str, float]
    high: Mapping[str, float]
    words: Mapping[str, str] = field(default_factory=dict)  # of all rounds: each different one once


def summarise(samples: Sequence[Sample]) -> list[Row]:
    """Returns one row per case and subject in the order of their first sample.

    A metric that is missing in some rounds is summarised over the rounds that have it.
    """
    groups: dict[tuple[str, str], list[Sample]] = {}
    for sample in samples:
        groups.setdefault((sample.case, sample.subject), []).append(sample)
    return [_row(case, subject, group) for (case, subject), group in groups.items()]


def _row(case: str, subject: str, group: Sequence[Sample]) -> Row:
    columns: dict[str, list[float]] = {}
    words: dict[str, dict[str, None]] = {}
    for sample in group:
        for name, word in sample.words.items():
            words.setdefault(name, {})[word] = None
        for metric, value in sample.metrics.items():
            columns.setdefault(metric, []).append(value)
    return Row(
        case=case,
        subject=subject,
        rounds=len(group),
        median={metric: median(values) for metric, values in columns.items()},
        low={metric: min(values) for metric, values in columns.items()},
        high={metric: max(values) for metric, values in columns.items()},
        words={name: " / ".join(said) for name, said in words.items()},
    )
