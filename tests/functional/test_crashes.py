"""kill -9 of the daemon at random moments: what was acknowledged is there, and nothing is there by halves."""

from __future__ import annotations

import random
from pathlib import Path
from statistics import median

import pytest

from tests.functional.crashing import Crashing
from tools.benchmarks.our_host import our_host


def crash(folder: Path, moments: int) -> dict[str, int]:
    """Kills a host so often; how often which change was hit, and how many of them were done."""
    seed = random.randrange(2**32)
    print(f"seed {seed}")  # noqa: T201  # pytest shows it where the test fails
    with our_host(folder / "host", {"warm": 1}) as host:
        crashing = Crashing(host, folder / "apps", seed)
        for number in range(moments):
            print(f"moment {number}")  # noqa: T201
            crashing.once()
        crashing.finish()
        assert "Traceback" not in host.log.read_text()
    slowest = max(crashing.restarts_s)
    print(f"{crashing.counts}; ready again within {median(crashing.restarts_s):.2f} s, {slowest:.2f} s at most")  # noqa: T201
    return crashing.counts


def test_20_kills(tmp_path: Path) -> None:
    assert crash(tmp_path, 20)["create"] > 0


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_200_kills(tmp_path: Path) -> None:
    counts = crash(tmp_path, 200)
    assert {"create", "change", "remove", "stop", "start", "upgrade", "done", "cut"} <= counts.keys(), counts
