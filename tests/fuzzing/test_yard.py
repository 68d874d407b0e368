"""Harm to a real host is seen."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from tools.fuzzing.children import ROOT


@pytest.mark.parametrize(
    ("harm", "kind", "said"),
    [
        ("fault", "fault", "1 threads accessed memory"),
        ("neighbour", "neighbour", "the neighbour answered"),
    ],
)
def test_harm_is_seen(harm: str, kind: str, said: str) -> None:
    argv = [sys.executable, "-m", "tests.fuzzing.harm", harm]
    done = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, timeout=200, check=False)
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout)
    assert {each[0] for each in seen} == {kind}
    assert said in seen[0][1]
