"""Metrics as Prometheus itself reads them."""

from __future__ import annotations

import re
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

from supervisor.spec.histogram import BOUNDS, Histogram
from supervisor.spec.views import LimitView
from supervisor.telemetry.figures import CallFigures, ClusterFigures, HostFigures, TaskFigures
from supervisor.telemetry.metrics import pieces, text
from tests.telemetry.figures import host, task

type Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


def read(figures: HostFigures) -> Samples:
    """Every sample by name and labels; the parser refuses what Prometheus would."""
    found: Samples = {}
    for family in text_string_to_metric_families(text(figures)):
        for sample in family.samples:
            key = (sample.name, frozenset(sample.labels.items()))
            assert key not in found, key
            found[key] = sample.value
    return found


def value(samples: Samples, name: str, **labels: str) -> float | None:
    return samples.get((name, frozenset(labels.items())))


def of(samples: Samples, name: str) -> Mapping[frozenset[tuple[str, str]], float]:
    return {labels: number for (sample, labels), number in samples.items() if sample == name}


@pytest.mark.parametrize(
    ("name", "labels", "expected"),
    [
        ("isolated_info", {"version": "1.2.3"}, 1),
        ("isolated_tasks", {"state": "idle"}, 40),
        ("isolated_boot_seconds_count", {}, 1),
        ("isolated_isolates", {}, 6),
        ("isolated_isolates_warm", {}, 4),
        ("isolated_parked_threads", {}, 1),
        ("isolated_faults", {}, 0),
        ("isolated_blocked_scripts", {}, 2),
        ("isolated_accounted_bytes", {}, 5 * 2**20),
        ("isolated_limit_used", {"limit": "memory"}, 7),
        ("isolated_limit", {"limit": "isolates"}, 2000),
        ("isolated_limit", {"limit": "memory"}, None),  # unlimited
        ("isolated_limit_refused_total", {"limit": "isolates"}, 3),
        ("isolated_refused_total", {"reason": "queue-full"}, 4),
        ("isolated_loop_lag_p99_seconds", {}, 0.001),
        ("isolated_loop_lag_worst_seconds", {}, 0.02),
        ("isolated_handovers_total", {}, 3),
        ("isolated_log_lines_dropped_total", {}, 9),
        ("process_start_time_seconds", {}, 1_700_000_000.25),
        ("process_cpu_seconds_total", {}, 12.5),
        ("process_resident_memory_bytes", {}, 2**27),
        ("process_open_fds", {}, 30),
        ("process_max_fds", {}, 1_048_576),
        ("isolated_task_state", {"task": "shop", "state": "running"}, 1),
        ("isolated_task_requests_total", {"task": "shop"}, 10),
        ("isolated_task_failures_total", {"task": "shop", "reason": "heap-limit"}, 1),
        ("isolated_task_request_seconds_sum", {"task": "shop"}, 0.5),
        ("isolated_task_request_seconds_count", {"task": "shop"}, 9),
        ("isolated_task_requests_open", {"task": "shop"}, 1),
        ("isolated_task_boots_total", {"task": "shop"}, 3),
        ("isolated_task_exits_total", {"task": "shop", "reason": "idle"}, 1),
        ("isolated_task_cpu_seconds_total", {"task": "shop"}, 0.25),
        ("isolated_task_heap_used_bytes", {"task": "shop"}, 1000),
        ("isolated_task_heap_bytes", {"task": "shop"}, 2000),
        ("isolated_task_external_bytes", {"task": "shop"}, 300),
        ("isolated_task_console_dropped_total", {"task": "shop"}, 5),
    ],
)  # fmt: skip
def test_every_figure_is_found_under_its_name(name: str, labels: dict[str, str], expected: float | None) -> None:
    assert value(read(host(task("shop"))), name, **labels) == expected


@pytest.mark.parametrize(
    ("name", "labels", "expected"),
    [
        ("isolated_cluster_hosts", {"state": "up"}, 4),
        ("isolated_cluster_hosts", {"state": "failed"}, 0),
        ("isolated_cluster_current", {}, 1),
        ("isolated_cluster_room", {}, 0),
        ("isolated_cluster_tasks", {"role": "owner"}, 7),
        ("isolated_cluster_tasks", {"role": "guardian"}, 8),
        ("isolated_cluster_doubtful_tasks", {}, 2),
        ("isolated_cluster_events_total", {"event": "placed"}, 9),
        ("isolated_cluster_calls_total", {"call": "guard", "outcome": "answered"}, 11),
        ("isolated_cluster_calls_total", {"call": "guard", "outcome": "silent"}, 1),
        ("isolated_cluster_call_seconds_sum", {"call": "guard"}, 0.75),
        ("isolated_cluster_call_seconds_count", {"call": "guard"}, 12),
    ],
)
def test_a_host_of_a_cluster_tells_of_its_part(name: str, labels: dict[str, str], expected: float) -> None:
    part = ClusterFigures(
        hosts={"up": 4, "failed": 0}, is_current=True, room=False, owned=7, guarded=8, doubtful=2,
        happened={"placed": 9}, calls={"guard": CallFigures(11, 1, 0.75)},
    )  # fmt: skip
    assert value(read(host(cluster=part)), name, **labels) == expected
    assert value(read(host()), name, **labels) is None


def test_the_latency_histogram_is_cumulative() -> None:
    samples = read(host())
    buckets = {dict(labels)["le"]: number for labels, number in of(samples, "isolated_request_seconds_bucket").items()}
    assert len(buckets) == len(BOUNDS) + 1
    assert [buckets[bound] for bound in ("0.000125", "0.00025", "0.0005", "0.512", "1.024", "32.768", "+Inf")] == [
        1, 1, 3, 3, 4, 4, 5,
    ]  # fmt: skip
    assert value(samples, "isolated_request_seconds_count") == 5
    assert value(samples, "isolated_request_seconds_sum") == pytest.approx(100.9007)


def test_a_task_that_never_ran_takes_two_lines() -> None:
    """Most tasks of a full host sleep."""
    lines = [line for line in text(host(TaskFigures("sleeper", "idle"))).splitlines() if "sleeper" in line]
    assert lines == [
        'isolated_task_state{task="sleeper",state="idle"} 1',
        'isolated_task_requests_total{task="sleeper"} 0',
    ]


def test_a_task_that_ran_shows_its_zeros() -> None:
    samples = read(host(TaskFigures("t", "running", boots=1)))
    assert value(samples, "isolated_task_heap_used_bytes", task="t") == 0
    assert value(samples, "isolated_task_console_dropped_total", task="t") == 0


def test_without_tasks_no_family_is_begun() -> None:
    assert "isolated_task_" not in text(host())


def test_pieces_are_the_text_in_lines() -> None:
    figures = host(task("a"), task("b"))
    assert "".join(pieces(figures)) == text(figures)
    assert all(piece.endswith("\n") or not piece for piece in pieces(figures))


@given(st.lists(st.text(min_size=1), unique=True, max_size=5), st.text())
def test_names_of_any_kind_come_back_and_forge_nothing(names: list[str], version: str) -> None:
    samples = read(host(*(task(name) for name in names), version=version))
    assert {dict(labels)["task"] for labels in of(samples, "isolated_task_boots_total")} == set(names)
    assert value(samples, "isolated_info", version=version) == 1


NUMBERS = st.integers(0, 2**70) | st.floats(0, allow_nan=False, allow_infinity=False)


@given(NUMBERS, NUMBERS)
def test_numbers_come_back_exactly(used: float, limit: float) -> None:
    samples = read(host(limits={"x": LimitView(used=used, limit=limit)}))
    assert value(samples, "isolated_limit_used", limit="x") == float(used)
    assert value(samples, "isolated_limit", limit="x") == float(limit)


def test_every_family_says_what_it_is() -> None:
    lines = text(host(task("a"))).splitlines()
    named = [line.split()[2] for line in lines if line.startswith("# TYPE")]
    helped = [line.split()[2] for line in lines if line.startswith("# HELP")]
    assert named == helped
    assert len(named) == len(set(named))
    for name in named:
        assert re.fullmatch(r"(isolated|process)_[a-z0-9_]+", name)


def test_counters_are_named_as_counters() -> None:
    for family in text(host(task("a"))).split("# HELP ")[1:]:
        kind = re.search(r"# TYPE (\S+) (\S+)", family)
        assert kind is not None
        assert (kind[2] == "counter") == kind[1].endswith("_total"), kind[0]


def test_an_empty_histogram_is_one() -> None:
    samples = read(host(requests=Histogram()))
    assert value(samples, "isolated_request_seconds_bucket", le="+Inf") == 0
    assert value(samples, "isolated_request_seconds_count") == 0
