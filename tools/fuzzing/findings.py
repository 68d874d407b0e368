"""Keeps findings: each in a folder of its own, with what it takes to see it again."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tools.fuzzing.ended import Ended, Wrong
from tools.fuzzing.program import Program


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that may not be, and the batch it was in. `small`: fewer programs that do it, if known."""

    wrong: Wrong
    batch: Sequence[Program]
    stderr: str
    small: Sequence[Program] | None = None
    ended: Ended | None = None  # how its program ended in the end, if it did


def same(wrong: Wrong) -> str:
    """What two findings have in common that are likely the same: their words without numbers and quotations."""
    return f"{wrong.kind}: " + re.sub(r"b?'[^']*'|b?\"[^\"]*\"|\d+", "…", wrong.text)[:120]


def keep(finding: Finding, folder: Path) -> Path:
    """Writes a finding into a new folder below `folder` and returns it."""
    wrong, first = finding.wrong, finding.batch[0].name
    place = _unused(folder, f"{wrong.kind}-{wrong.program or first}")
    lines = [f"{wrong.kind}: {wrong.text}", f"program: {wrong.program or 'one of batch.json'}"]
    if finding.ended is not None:
        lines.append(f"its end: {finding.ended.reason or 'unknown'} after {finding.ended.seconds:g} s")
    (place / "finding.txt").write_text("\n".join(lines) + "\n")
    (place / "stderr.txt").write_text(finding.stderr)
    _write(place / "batch.json", finding.batch)
    if finding.small is not None:
        _write(place / "small.json", finding.small)
        for program in finding.small:
            for name, data in program.files.items():
                path = place / program.name / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(data)
    return place


def _write(file: Path, programs: Sequence[Program]) -> None:
    file.write_text(json.dumps([program.document() for program in programs], indent=1))


def _unused(folder: Path, name: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(10_000):
        place = folder / (f"{name}-{number}" if number else name)
        try:
            place.mkdir()
        except FileExistsError:
            continue
        return place
    raise FileExistsError(f"{folder} has 10000 findings called {name}: take them away")
