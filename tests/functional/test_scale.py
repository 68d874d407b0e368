"""Many isolates in one process: what they take is given back, and nobody else notices."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.functional.running import ROOT, environment

pytestmark = pytest.mark.timeout(660)  # what the programs may take, and a bit
HERE = Path(__file__).parent


def figures(program: str, count: int) -> Any:
    """What a program here prints."""
    done = subprocess.run(
        [sys.executable, str(HERE / program), str(count)],
        cwd=ROOT, env={**environment(), "PYTHONPATH": str(ROOT)},
        capture_output=True, text=True, timeout=600, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_a_thousand_isolates_answer_in_one_process_and_leave_nothing_behind() -> None:
    found = figures("many_isolates.py", 1000)
    before, meanwhile, after = found["before"], found["meanwhile"], found["after"]
    assert meanwhile["isolates"] == meanwhile["isolate_threads"] == 1000
    for name in ("isolates", "isolate_threads", "records", "files"):
        assert after[name] == before[name], name
    assert before["isolates"] == 0
    assert after["mappings"] - before["mappings"] < 100, "of more than ten thousand"
    assert after["rss_mib"] <= before["rss_mib"] * 1.2
    assert (meanwhile["rss_mib"] - before["rss_mib"]) / 1000 <= 1.8, "MiB for each idle isolate"


@pytest.mark.parametrize("count", [100, pytest.param(1000, marks=pytest.mark.slow)])
def test_isolates_that_outgrow_their_heap_one_after_another_cost_nothing_in_the_end(count: int) -> None:
    found = figures("outgrown_heaps.py", count)
    assert found["reasons"] == {"heap-limit": count}
    assert found["parked"] == 0
    assert found["growth_mib"] < 30
    assert found["answers"] > count, "another task answers all the while"
    assert found["p50_ms"] < 100
