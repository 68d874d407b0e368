"""The product's part in the benchmarks: what is given to it is what it takes."""

import json
import sys
import tempfile
from pathlib import Path

import pytest

from supervisor.spec.files import load_task_file
from tools.benchmarks import containment, procfs, program
from tools.benchmarks.children import free_port, started
from tools.benchmarks.load import WORKLOADS
from tools.benchmarks.ours import Isolated, Served
from tools.benchmarks.probe import check_answer, wait_until_ready
from tools.benchmarks.subject import Boots, Budgets, Contains, Daemons, Holds, Load, Serves

OURS = Isolated("0.1.0")
SERVED = Served("0.1.0")


def test_it_takes_part_in_every_benchmark() -> None:
    assert isinstance(OURS, Serves)
    assert isinstance(OURS, Boots)
    assert isinstance(OURS, Holds)
    assert isinstance(OURS, Contains)
    assert isinstance(OURS, Budgets)


def test_its_daemon_takes_part_in_what_is_measured_through_ports() -> None:
    assert isinstance(SERVED, Serves)
    assert isinstance(SERVED, Boots)
    assert isinstance(SERVED, Daemons)
    assert not isinstance(SERVED, Holds)
    assert not isinstance(OURS, Daemons)


def test_its_daemon_serves_the_task_that_the_workloads_ask() -> None:
    # not pytest's folder: a Unix socket's path may have 107 characters
    with tempfile.TemporaryDirectory(prefix="bench-") as short:
        port = free_port()
        with started(SERVED.serve(Path(short), port)) as child:
            wait_until_ready(child, port)
            for workload in WORKLOADS:
                check_answer(port, workload)
            assert procfs.session_processes(child.pid)
        assert procfs.session_processes(child.pid) == []
        assert json.loads((Path(short) / "task.json").read_text())["listen"] == [f"127.0.0.1:{port}"]


def test_tasks_that_sleep_start_on_the_first_request(tmp_path: Path) -> None:
    times = SERVED.starts(tmp_path, 2)
    assert {case: len(values) for case, values in times.items()} == {"asleep, by its port": 2}
    assert all(value > 0 for values in times.values() for value in values)


def test_its_server_is_started_on_a_valid_task_file(tmp_path: Path) -> None:
    launch = OURS.serve(tmp_path, 8123)
    spec = load_task_file(Path(launch.argv[-1]))
    assert [str(address) for address in spec.listen] == ["127.0.0.1:8123"]
    assert Path(spec.pwd, spec.main_path).read_bytes() == (program.FOLDER / "app.mjs").read_bytes()


def test_its_isolates_start_cold_and_from_the_warm_pool(tmp_path: Path) -> None:
    times = OURS.starts(tmp_path, 2)
    assert {case: len(values) for case, values in times.items()} == {"cold": 2, "warm pool": 2}
    assert all(value > 0 for values in times.values() for value in values)


def test_its_isolates_idle(tmp_path: Path) -> None:
    with OURS.idle(tmp_path, 2) as idle:
        executable = Path(f"/proc/{idle.pid}/exe").resolve()
        assert executable == Path(sys.executable).resolve()


def test_it_contains_a_tenant_that_runs_out_of_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(containment, "PATIENCE_SECONDS", 60.0)
    terms = containment.Terms(limit_mib=16, seconds=60.0, guard_mib=512)
    seen = containment.measure(OURS, "many-arrays", terms, tmp_path)
    assert (seen["contained"], seen["process"], seen["tenant"]) == (1.0, "alive", "limit: heap-limit")
    assert (seen["neighbour"], seen["fresh"]) == ("answers", "yes")


def test_it_ends_requests_at_their_budget(tmp_path: Path) -> None:
    seen = OURS.overshoots(tmp_path, Load(busy=2, idle=2, terminations=3, budget_ms=20))
    assert len(seen.milliseconds) >= 3
    assert min(seen.milliseconds) >= 0  # nobody was ended before the budget was used up
