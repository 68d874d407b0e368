"""limits.cpu.quota and cores of a real daemon, measured from outside of its process."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import pytest

from supervisor.limits.cgroups import Hierarchy, find_hierarchy
from supervisor.limits.cgroups.leftovers import process_name
from tests.functional.running import handler, write_task
from tests.functional.serving import Serving

FOUND = find_hierarchy()
pytestmark = pytest.mark.skipif(
    not isinstance(FOUND, Hierarchy) or not os.access(FOUND.own, os.W_OK), reason="no cgroup tree that we may write"
)

# It spins once it was asked to, and for good.
SPINS = handler("setTimeout(() => { for (;;) ; }, 10); return new Response('spins');")
HELLO = handler("return new Response('hello');")
UNLIMITED = {"request": None, "startup": None, "wall": None}
WARM_UP_S = 0.5


def spin(host: Serving, folder: Path, name: str, quota: float | None, cores: Any = 0) -> None:
    """Applies a task, and has it spin."""
    limits = {"cpu": {**UNLIMITED, "quota": quota}}
    host.said("apply", write_task(folder / name, SPINS, name=name, limits=limits, cpu=cores), "--no-bundle")
    assert host.get(name).text == "spins"


def threads(pid: int) -> dict[int, float]:
    """CPU seconds of isolates' threads, by their ids."""
    found = {}
    for thread in Path(f"/proc/{pid}/task").iterdir():
        try:
            text = (thread / "stat").read_text()
        except FileNotFoundError, ProcessLookupError:
            continue  # it ended meanwhile
        name, _, rest = text.partition("(")[2].rpartition(")")
        fields = rest.split()
        if name.startswith("isolate-"):
            found[int(thread.name)] = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return found


def shares(pid: int, seconds: float) -> list[float]:
    """What each isolate's thread had of a core at least, the busiest first; looking takes its time, too."""
    time.sleep(WARM_UP_S)
    began = time.monotonic()
    before = threads(pid)
    time.sleep(seconds)
    after = threads(pid)
    took = time.monotonic() - began
    return sorted(((used - before.get(each, 0.0)) / took for each, used in after.items()), reverse=True)


def own(pid: int) -> Path:
    """The group of a process."""
    found = find_hierarchy(Path(f"/proc/{pid}"))
    assert isinstance(found, Hierarchy)
    return found.own


def groups(pid: int) -> list[str]:
    """The groups that a process made for its isolates."""
    return sorted(each.name for each in (own(pid) / process_name(pid)).iterdir() if each.is_dir())


@pytest.mark.parametrize(
    ("seconds", "margin"), [(3.0, 0.03), pytest.param(10.0, 0.01, marks=pytest.mark.slow)]
)  # fmt: skip
def test_a_fifth_of_a_core_beside_a_neighbour_that_spins_on_it(tmp_path: Path, seconds: float, margin: float) -> None:
    with Serving(tmp_path / "host", drain="1s") as host:
        spin(host, tmp_path, "slow", 0.2)
        spin(host, tmp_path, "free", None)
        free, slow, *_ = shares(host.process.pid, seconds)
        assert slow <= 0.2 + margin
        assert free > slow
        host.wait(lambda: host.task("slow")["throttledS"] > 0, "it was throttled")
        assert host.task("free")["throttledS"] == 0
        if margin < 0.03:  # other work on the machine can only make it less
            assert slow >= 0.2 - margin


def test_a_host_of_throttled_spinners_answers(tmp_path: Path) -> None:
    with Serving(tmp_path / "host", drain="1s") as host:
        for number in range(10):
            spin(host, tmp_path, f"spins-{number}", 0.05, number % 2)
        host.said("apply", write_task(tmp_path / "hello", HELLO, name="hello"), "--no-bundle")
        assert sum(shares(host.process.pid, 2.0)) < 10 * 0.05 + 0.2
        for _ in range(20):
            assert host.get("hello").text == "hello"


def test_groups_go_with_their_tasks_and_after_a_crash_with_the_next_process(tmp_path: Path) -> None:
    with Serving(tmp_path / "host", drain="1s") as host:
        first = own(host.process.pid) / process_name(host.process.pid)
        spin(host, tmp_path, "one", 0.2)
        spin(host, tmp_path, "two", 0.3)
        assert [each.partition("-")[2] for each in groups(host.process.pid) if each != "rest"] == ["one", "two"]
        host.said("rm", "one", "--yes")
        host.wait(lambda: len(groups(host.process.pid)) == 2, "its group is gone")
        host.kill()
        assert first.exists()
        host.begin()
        assert not first.exists()
        last = own(host.process.pid) / process_name(host.process.pid)
        assert last.exists()
    assert not last.exists()


def test_another_quota_is_held_from_then_on(tmp_path: Path) -> None:
    with Serving(tmp_path / "host", drain="1s") as host:
        spin(host, tmp_path, "task", 0.1)
        assert shares(host.process.pid, 1.5)[0] <= 0.15
        limits = {"cpu": {**UNLIMITED, "quota": 0.4}}
        host.said("apply", write_task(tmp_path / "task", SPINS, name="task", limits=limits, cpu=0), "--no-bundle")
        assert host.get("task").text == "spins"
        host.wait(
            lambda: len([name for name in groups(host.process.pid) if name != "rest"]) == 1, "the old one is gone"
        )
        assert shares(host.process.pid, 2.0)[0] <= 0.45


def test_a_list_of_cores_is_where_the_thread_runs(tmp_path: Path) -> None:
    cores = sorted(os.sched_getaffinity(0))[:2]
    with Serving(tmp_path / "host", warm=0) as host:
        host.said("apply", write_task(tmp_path / "task", HELLO, cpu=cores), "--no-bundle")
        assert host.get("task").text == "hello"
        assert [os.sched_getaffinity(each) for each in threads(host.process.pid)] == [set(cores)]
        refused = host.cli("apply", write_task(tmp_path / "other", HELLO, name="other", cpu=[0, 4000]), "--no-bundle")
        assert refused.returncode == 2
        assert "cpu" in refused.stderr
        assert "4000" in refused.stderr


def test_the_hosts_own_threads_keep_to_their_cores(tmp_path: Path) -> None:
    every = os.sched_getaffinity(0)
    core = max(every)
    with Serving(tmp_path / "host", loopCores=[core], warm=0) as host:
        host.said("apply", write_task(tmp_path / "task", HELLO), "--no-bundle")
        assert host.get("task").text == "hello"
        assert os.sched_getaffinity(host.process.pid) == {core}
        assert [os.sched_getaffinity(each) for each in threads(host.process.pid)] == [every]


def test_tasks_have_all_cores_whatever_the_hosts_own_threads_keep_to_and_after_a_hand_over_too(tmp_path: Path) -> None:
    every = os.sched_getaffinity(0)
    first, last = min(every), max(every)

    def apply(host: Serving, name: str, **settings: Any) -> None:
        host.said("apply", write_task(tmp_path / name, HELLO, name=name, **settings), "--no-bundle")
        assert host.get(name).text == "hello"

    with Serving(tmp_path / "host", warm=0) as host:
        apply(host, "early", cpu=last)
    with Serving(tmp_path / "host", loopCores=[first], warm=0) as host:
        assert host.get("early").text == "hello"
        apply(host, "pinned", cpu=last)
        apply(host, "free")
        pid = host.json("upgrade")["pid"]
        for name in ("early", "pinned", "free"):
            assert host.get(name).text == "hello"
        assert os.sched_getaffinity(pid) == {first}
        found = [os.sched_getaffinity(each) for each in threads(pid)]
        assert sorted(found, key=len) == [{last}, {last}, every]
        apply(host, "late", cpu=last)
