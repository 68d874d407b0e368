"""Many parked threads in one process stop nobody (SPECIFICATION.md has what each costs)."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
HEALTHY = 50
# What a park may cost beyond its heap's limit of 16 MiB. Mappings: a process has 65,530 by default.
RSS_MIB_EACH = 24
MAPPINGS_EACH = 60


@pytest.mark.timeout(900)  # a quiet machine needs a twentieth of that
@pytest.mark.parametrize("parks", [60, pytest.param(200, marks=pytest.mark.slow)])
def test_no_request_of_healthy_tasks_fails_while_others_park(parks: int) -> None:
    program = [sys.executable, "-m", "tests.hostile.many_parks", "--parks", str(parks), "--healthy", str(HEALTHY)]
    done = subprocess.run(program, cwd=ROOT, capture_output=True, text=True, timeout=840, check=False)
    line = next((line for line in done.stdout.splitlines() if line.startswith('{"quiet')), None)
    assert line is not None, f"exit code {done.returncode}\n{done.stderr[-2000:]}"
    figures = json.loads(line)
    assert figures["wrong"] == []
    assert figures["parked"] == parks
    assert figures["fewest_answers"] > parks, "each healthy task went on answering"
    assert figures["rss_mib_each"] < RSS_MIB_EACH
    assert figures["mappings_each"] < MAPPINGS_EACH
