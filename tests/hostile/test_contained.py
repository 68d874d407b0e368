"""Every hostile script harms only itself (see README.md here)."""

from __future__ import annotations

import functools
import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.hostile.expectations import Outcome, allowed

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
SCRIPTS = sorted((HERE / "scripts").glob("*.js"))
# Scripts of one process: few enough that a crash loses little, many enough that starting V8 costs nothing.
BATCH = 30
BATCHES = [SCRIPTS[start : start + BATCH] for start in range(0, len(SCRIPTS), BATCH)]
# For one script at most: its limits, the grace, a fresh isolate, on a machine that does other things too.
SECONDS_EACH = 15
# What a process may keep, MiB: garbage that malloc and V8's shared threads hold on to, and what a parked thread had.
KEPT_MIB = 64
KEPT_PER_PARK_MIB = 96


@dataclass
class Run:
    """What a process said before it ended."""

    found: list[dict[str, Any]]
    crashed: list[str]
    summary: dict[str, Any] | None
    errors: str


def patience_s(scripts: int) -> int:
    """How long so many may take in one process."""
    return SECONDS_EACH * scripts + 60


def run(scripts: list[Path], *options: str) -> Run:
    program = [sys.executable, "-m", "tests.hostile.contained", *options, *map(str, scripts)]
    try:
        done = subprocess.run(
            program, cwd=ROOT, capture_output=True, text=True, timeout=patience_s(len(scripts)), check=False
        )
        out, errors = done.stdout, f"exit code {done.returncode}\n{done.stderr[-2000:]}"
    except subprocess.TimeoutExpired as late:
        out, errors = (late.stdout or b"").decode(), f"the process hung for {patience_s(len(scripts))} s"
    lines = [json.loads(line) for line in out.splitlines() if line.startswith(('{"begin"', '{"found"', '{"summary"'))]
    found = [line["found"] for line in lines if "found" in line]
    known = {(each["script"], each["way"]) for each in found}
    open_cases = [line["begin"] for line in lines if "begin" in line and tuple(line["begin"]) not in known]
    summary = next((line["summary"] for line in lines if "summary" in line), None)
    return Run(found, [" ".join(case) for case in open_cases], summary, errors)


def wrong_of(result: Run) -> list[str]:
    """One line for everything that is not as it should be."""
    wrong = [f"{case}: {Outcome.CRASHED}; {result.errors}" for case in result.crashed]
    for each in result.found:
        name = f"{each['script']} ({each['way']})"
        if each["outcome"] not in allowed(each["script"]):
            wrong.append(f"{name}: {each['outcome']} ({each['reason']}): {each['message']}")
        wrong += [f"{name}: {text}" for text in each["wrong"]]
    summary = result.summary
    if summary is None:
        return wrong or [f"the process ended early: {result.errors}"]
    kept = summary["rss_after_mib"] - summary["rss_before_mib"]
    if kept > KEPT_MIB + KEPT_PER_PARK_MIB * summary["parked"]:
        wrong.append(f"{kept:.0f} MiB were not given back, with {summary['parked']} threads parked")
    return wrong


@functools.cache
def batch(number: int) -> Run:
    return run(BATCHES[number], "--way", "either")


@pytest.mark.timeout(patience_s(BATCH) + 60)
@pytest.mark.parametrize("number", range(len(BATCHES)), ids=lambda number: f"{BATCHES[number][0].stem}…")
def test_scripts_harm_only_themselves(number: int) -> None:
    result = batch(number)
    assert not wrong_of(result), "\n".join(wrong_of(result))
    assert len(result.found) == len(BATCHES[number])


@pytest.mark.slow
@pytest.mark.timeout(patience_s(len(SCRIPTS)) + 60)
def test_all_of_them_one_after_another_in_one_process() -> None:
    result = run(SCRIPTS, "--way", "both")
    assert not wrong_of(result), "\n".join(wrong_of(result))


@pytest.mark.slow
@pytest.mark.timeout(patience_s(len(SCRIPTS)) + 60)
def test_twenty_at_a_time_twice() -> None:
    result = run(SCRIPTS, "--way", "either", "--at-once", "20", "--rounds", "2")
    assert not wrong_of(result), "\n".join(wrong_of(result))
    assert len(result.found) == 2 * len(SCRIPTS)
