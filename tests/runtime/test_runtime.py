"""What JavaScript programs may rely on, tested by JavaScript programs (see README.md here)."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent
FILES = [*sorted(path.name for path in (HERE / "js").glob("*.test.js")), "exchanges.js"]
Found = dict[str, list[dict[str, Any]]]


@pytest.fixture(scope="module")
def found() -> Found:
    root = HERE.parent.parent
    program = [sys.executable, str(HERE / "in_isolates.py")]
    env = {"PYTHONPATH": str(root)}
    done = subprocess.run(program, cwd=root, env=env, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    results: Found = json.loads(done.stdout)
    return results


@pytest.mark.parametrize("name", FILES)
def test_every_promise_of(name: str, found: Found) -> None:
    results = found[name]
    assert results, f"{name} has no tests"
    wrong = [f"{result['name']}: {result['error']}" for result in results if not result["ok"]]
    assert not wrong, "\n".join(wrong)
