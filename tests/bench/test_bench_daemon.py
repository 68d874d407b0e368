"""The benchmarks of the daemon, as small as they can be."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from supervisor.limits.cgroups import foreseen_quota
from tests.bench.test_bench_load_many import pretend_wrk, wait_for
from tools.benchmarks import crash, fleet, groups, handover, quota, wake
from tools.benchmarks.handover import CASES, Relay
from tools.benchmarks.load_many import Going, load_on
from tools.benchmarks.ours import Served
from tools.benchmarks.results import MeasurementFailed

SERVED = Served("0.1.0")


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quota, "WARM_UP_SECONDS", 0.1)
    for module in (wake, fleet, crash):
        monkeypatch.setattr(module, "SETTLE_SECONDS", 0.1)


def test_tasks_that_sleep_are_woken(tmp_path: Path) -> None:
    seen = wake.measure(SERVED, 3, tmp_path)
    assert list(seen) == ["asleep", "awake"]
    for values in seen.values():
        assert values["count"] == 3
        assert 0 < values["min_ms"] <= values["p50_ms"] <= values["p99_ms"] <= values["max_ms"]


def test_a_fleet_sleeps_is_woken_sleeps_and_comes_back(tmp_path: Path) -> None:
    seen = fleet.measure(SERVED, 3, tmp_path)
    assert seen["rss_empty_mib"] > seen["pss_asleep_mib"] / 10 > 0
    assert 0 < seen["p50_ms"] <= seen["p99_ms"] <= seen["max_ms"]
    assert seen["all_back_s"] > 0


def test_a_fleet_that_does_not_fall_asleep_is_a_failure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fleet, "IDLE", "1h")
    monkeypatch.setattr(fleet, "ASLEEP_SECONDS", 0.2)
    with pytest.raises(MeasurementFailed, match="not all of 1 tasks sleep"):
        fleet.measure(SERVED, 1, tmp_path)


@pytest.mark.skipif(foreseen_quota().how is None, reason="no groups can be made on this machine")
def test_spinners_are_held_to_their_shares_while_a_neighbour_is_asked(tmp_path: Path) -> None:
    seen = quota.measure(SERVED, "20 % and none, on one core", 2, tmp_path)
    assert 0 < seen["least_percent"] == seen["most_percent"] < 25
    assert 0 <= seen["lag_p99_ms"] <= seen["lag_worst_ms"]
    assert 0 < seen["p50_ms"] <= seen["p99_ms"]


def test_with_nobody_who_spins_there_are_no_shares(tmp_path: Path) -> None:
    seen = quota.measure(SERVED, "nobody spins", 1, tmp_path)
    assert "most_percent" not in seen
    assert seen["p50_ms"] > 0


@pytest.mark.skipif(foreseen_quota().how is None, reason="no groups can be made on this machine")
def test_groups_come_and_go(tmp_path: Path) -> None:
    seen = groups.measure(SERVED, 5, tmp_path)
    assert (seen["count"], seen["left"]) == (5, 0)
    assert 0 < seen["place_p50_ms"] <= seen["place_p99_ms"]


def test_crashes_are_survived(tmp_path: Path) -> None:
    seen = crash.measure(SERVED, 3, 2, tmp_path)
    assert seen["kills"] == 2
    assert 0 < seen["first_back_s"] <= seen["all_back_s"] <= seen["all_back_max_s"]


@pytest.mark.parametrize("case", CASES)
def test_hosts_hand_over_under_load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, case: str) -> None:
    @contextmanager
    def load_that_goes(*arguments: Any, **options: Any) -> Iterator[Going]:
        with load_on(*arguments, **options) as going:
            wait_for(tmp_path / "arguments")  # before, what is to end it would kill it
            yield going

    monkeypatch.setattr(handover, "load_on", load_that_goes)
    seen = handover.measure(pretend_wrk(tmp_path), SERVED, case, Relay(tasks=2, handovers=2), tmp_path)
    assert (seen["handovers"], seen["requests"], seen["failed"]) == (2, 7, 2)
    assert 0 < seen["took_p50_ms"] <= seen["took_max_ms"]
    assert ('"close"' in (tmp_path / "load.lua").read_text()) == (case == handover.CLOSED)
