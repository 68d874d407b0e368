"""The JSON file of a run: every sample and the summary, so that a figure can be traced to its rounds."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from tools.benchmarks.results import Outcome, summarise

FORMAT = 1  # raised when a field changes its meaning or goes away


def as_document(outcomes: Sequence[Outcome], machine: Mapping[str, object]) -> dict[str, object]:
    """Returns what is written: plain dicts, lists, strings and numbers."""
    return {"format": FORMAT, "machine": dict(machine), "benchmarks": [_benchmark(outcome) for outcome in outcomes]}


def write(path: Path, document: Mapping[str, object]) -> None:
    """Writes the document, replacing the file whole. Raises OSError."""
    unfinished = path.with_name(path.name + ".part")
    unfinished.write_text(json.dumps(document, indent=2, allow_nan=False) + "\n", encoding="utf-8")
    unfinished.replace(path)


def _benchmark(outcome: Outcome) -> dict[str, object]:
    return {
        "benchmark": outcome.benchmark,
        "options": dict(outcome.options),
        "participants": [asdict(participant) for participant in outcome.participants],
        "notes": dict(outcome.notes),
        "summary": [asdict(row) for row in summarise(outcome.samples)],
        "samples": [asdict(sample) for sample in outcome.samples],
        "failures": [asdict(failure) for failure in outcome.failures],
    }
