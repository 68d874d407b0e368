"""The contract with the programs that hold isolates, kept by small programs of our own."""

import sys
from pathlib import Path

import pytest

from tests.bench.subjects import Pretender
from tools.benchmarks import coldstart, density, procfs
from tools.benchmarks.children import Launch
from tools.benchmarks.program import hold_idle, run_starts
from tools.benchmarks.results import MeasurementFailed
from tools.benchmarks.subject import Boots, Holds

HONEST = """
import json, sys
kind, count = sys.argv[1], int(sys.argv[2])
if kind == "starts":
    print(json.dumps({"cold": [float(n) for n in range(count)], "warm pool": [0.5]}), flush=True)
else:
    held = bytearray(count * 1024 * 1024)
    for page in range(0, len(held), 4096): held[page] = 1
    print(json.dumps({"seconds": count / 10}), flush=True)
    sys.stdin.read()
"""


def launch(source: str, folder: Path) -> Launch:
    return Launch((sys.executable, "-c", source), folder)


def test_starts_are_read_by_case(tmp_path: Path) -> None:
    assert run_starts(launch(HONEST, tmp_path), 3) == {"cold": [0.0, 1.0, 2.0], "warm pool": [0.5]}


def test_idle_holds_until_the_block_ends(tmp_path: Path) -> None:
    with hold_idle(launch(HONEST, tmp_path), 5) as idle:
        assert idle.seconds == 0.5
        assert procfs.session_processes(idle.pid) == [idle.pid]
    assert procfs.session_processes(idle.pid) == []


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("raise SystemExit('no isolates today')", "code 1: no isolates today"),
        ("print('hello')", "expected a line of JSON, got 'hello'"),
    ],
)
def test_a_program_that_breaks_the_contract(source: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(MeasurementFailed, match=said):
        run_starts(launch(source, tmp_path), 1)


def test_coldstart_makes_figures_of_the_times(tmp_path: Path) -> None:
    subject = Pretender("pretender", launch(HONEST, tmp_path))
    assert isinstance(subject, Boots)
    figures = coldstart.measure(subject, 200, tmp_path)
    assert figures["cold"] == {"p50_ms": 99.5, "p99_ms": 197.0, "min_ms": 0.0, "count": 200.0}
    assert figures["warm pool"]["p99_ms"] == 0.5


def test_density_is_the_difference_to_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(density, "SETTLE_SECONDS", 0.0)
    subject = Pretender("pretender", launch(HONEST, tmp_path))
    assert isinstance(subject, Holds)
    # So many that what the process itself takes, and shares with others that come and go, is nothing beside them.
    figures = density.measure(subject, 150, tmp_path)
    assert figures["rss_per_isolate_mib"] == pytest.approx(1.0, abs=0.1)
    assert figures["pss_per_isolate_mib"] == pytest.approx(1.0, abs=0.1)
    assert figures["start_ms_per_isolate"] == pytest.approx(100.0)
