"""What console writes, and at which level (the cases are in js/console.js and console.json)."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent
CASES: list[dict[str, Any]] = json.loads((HERE / "console.json").read_text())
Written = dict[str, list[list[Any]]]


@pytest.fixture(scope="module")
def written() -> Written:
    root = HERE.parent.parent
    program = [sys.executable, str(HERE / "console_in_isolate.py")]
    env = {"PYTHONPATH": str(root)}
    done = subprocess.run(program, cwd=root, env=env, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    result: Written = json.loads(done.stdout)
    return result


@pytest.mark.parametrize("case", CASES, ids=[case["path"] for case in CASES])
def test_lines_of(case: dict[str, Any], written: Written) -> None:
    lines = written[case["path"]]
    assert [level for level, _ in lines] == [line["level"] for line in case["lines"]]
    for (_, text), line in zip(lines, case["lines"], strict=True):
        if "text" in line:
            assert text == line["text"]
        else:  # a long one, of which the length and the end are enough
            assert (len(text), text[-len(line["ends"]) :]) == (line["length"], line["ends"])
