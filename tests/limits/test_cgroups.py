"""Groups of threads: what is written to the kernel, and that the kernel does it, where it can."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from supervisor.limits.cgroups import CpuGroups, Hierarchy, find_hierarchy, foreseen_quota
from supervisor.limits.cgroups import groups as made
from supervisor.limits.cgroups.files import QUOTA_MIN_US, Group2, bandwidth_us
from supervisor.limits.cgroups.leftovers import process_name, remove_leftovers, task_name
from supervisor.limits.cgroups.mounts import Absent
from supervisor.spec.enforcement import QUOTA
from supervisor.spec.limits import QUOTA_MIN

PATIENCE_S = 20
MOUNTS = """\
25 1 0:23 / /proc rw shared:1 - proc proc rw
31 25 0:28 / {root} rw - tmpfs tmpfs ro,mode=755
"""
V1 = "32 31 0:29 {shown} {root}/cpu,cpuacct rw,relatime - cgroup cgroup rw,cpu,cpuacct\n"
V2 = "33 31 0:30 {shown} {root} rw,relatime shared:9 master:3 - cgroup2 cgroup2 rw,nsdelegate\n"


# -- numbers -----------------------------------------------------------------------------------------------------------


@given(st.floats(QUOTA_MIN, 1.0))
def test_a_quota_is_kept_to_a_percent_in_periods_that_are_short(quota: float) -> None:
    time_us, period_us = bandwidth_us(quota)
    assert abs(time_us / period_us - quota) <= 0.01 * quota
    assert time_us >= QUOTA_MIN_US
    assert period_us <= 100_000
    assert period_us == 10_000 or quota < 0.1


@given(st.text())
def test_any_task_id_makes_a_name_of_a_folder(label: str) -> None:
    name = task_name(7, label)
    assert name.startswith("7-")
    assert "/" not in name
    assert "\0" not in name
    assert len(name.encode()) < 64


# -- where ------------------------------------------------------------------------------------------------------------


class Machine:
    """A /proc/self and a tree of groups in a folder."""

    def __init__(self, folder: Path) -> None:
        self.proc, self.root = folder / "proc", folder / "my groups"
        self.proc.mkdir()
        self.root.mkdir()

    def has(self, mounts: str, groups: str, shown: str = "/") -> Machine:
        root = str(self.root).replace(" ", "\\040")
        (self.proc / "mountinfo").write_text(MOUNTS.format(root=root) + mounts.format(root=root, shown=shown))
        (self.proc / "cgroup").write_text(groups)
        return self

    def found(self) -> Hierarchy | Absent:
        return find_hierarchy(self.proc)


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def test_version_1_is_found_by_its_controller(machine: Machine) -> None:
    machine.has(V1 + V2, "4:cpu,cpuacct:/services/us\n1:name=systemd:/elsewhere\n0::/\n")
    assert machine.found() == Hierarchy(1, machine.root / "cpu,cpuacct" / "services/us")


def test_a_part_of_the_tree_may_be_all_that_is_seen(machine: Machine) -> None:
    machine.has(V1, "4:cpu,cpuacct:/box/17/us\n", shown="/box/17")
    assert machine.found() == Hierarchy(1, machine.root / "cpu,cpuacct" / "us")
    machine.has(V1, "4:cpu,cpuacct:/other\n", shown="/box/17")
    assert isinstance(machine.found(), Absent)


def test_version_2_needs_the_controller_to_be_given_to_us(machine: Machine) -> None:
    machine.has(V2, "0::/us\n")
    (machine.root / "us").mkdir()
    (machine.root / "us/cgroup.controllers").write_text("memory pids\n")
    found = machine.found()
    assert isinstance(found, Absent)
    assert "Delegate=yes" in found.remedy
    (machine.root / "us/cgroup.controllers").write_text("cpuset cpu memory\n")
    assert machine.found() == Hierarchy(2, machine.root / "us")


@pytest.mark.parametrize(("mounts", "groups"), [("", "0::/\n"), (V1, ""), (V1, "nonsense\n"), ("nonsense - \n", "")])
def test_a_machine_without_groups_says_so(machine: Machine, mounts: str, groups: str) -> None:
    found = machine.has(mounts, groups).found()
    assert isinstance(found, Absent)
    assert found.problem
    assert found.remedy
    opened = CpuGroups.open(found)
    assert opened.enforcement.limit == QUOTA
    assert opened.enforcement.how is None
    assert opened.place("task", os.getpid(), 0.5) is None
    opened.close()


def test_version_2_is_told_in_its_words(tmp_path: Path) -> None:
    for file in ("cgroup.type", "cpu.max", "cpu.weight", "cgroup.subtree_control", "cgroup.threads"):
        (tmp_path / file).touch()
    (tmp_path / "cpu.stat").write_text("usage_usec 9\nnr_periods 4\nnr_throttled 2\nthrottled_usec 1500000\n")
    group = Group2(tmp_path)
    group.limit(0.2)
    assert (tmp_path / "cpu.max").read_text() == "2000 10000"
    group.limit(None)
    assert (tmp_path / "cpu.max").read_text().startswith("max")
    group.weigh(2048)
    assert (tmp_path / "cpu.weight").read_text() == "200"
    group.add(17)
    assert (tmp_path / "cgroup.threads").read_text() == "17"
    group.control()
    assert (tmp_path / "cgroup.subtree_control").read_text() == "+cpu"
    assert group.throttled_s() == 1.5


# -- the kernel's ------------------------------------------------------------------------------------------------------


@pytest.fixture
def groups() -> Iterator[CpuGroups]:
    found = foreseen_quota()
    if found.how is None:
        pytest.skip(f"no groups here: {found.problem}")
    opened = CpuGroups.open()
    assert opened.active
    yield opened
    opened.close()


def own_folder() -> Path:
    found = find_hierarchy()
    assert isinstance(found, Hierarchy)
    return found.own


class Spinner:
    """A thread that computes without the interpreter's lock."""

    def __init__(self) -> None:
        self._over = False
        self._thread = threading.Thread(target=self._spin)
        self._thread.start()
        assert self._thread.native_id is not None
        self.id = self._thread.native_id

    def _spin(self) -> None:
        while not self._over:
            hashlib.pbkdf2_hmac("sha256", b"word", b"salt", 20_000)

    def used_s(self) -> float:
        fields = Path(f"/proc/self/task/{self.id}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def end(self) -> None:
        self._over = True
        self._thread.join()


def wait_until(condition: Callable[[], bool], what: str) -> None:
    """Threads leave their groups some milliseconds after they were joined."""
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.005)


def swept(groups: CpuGroups) -> bool:
    groups.sweep()
    return groups.leaving == 0


def test_a_thread_gets_its_share_of_a_core_and_no_more(groups: CpuGroups) -> None:
    spinner = Spinner()
    try:
        placed = groups.place("spins", spinner.id, 0.2)
        assert placed is not None
        began, used = time.monotonic(), spinner.used_s()  # so that a pause between them makes the share no larger
        time.sleep(3)
        share = (spinner.used_s() - used) / (time.monotonic() - began)
        assert share <= 0.23  # other work on the machine can only make it less
        usage = placed.usage()
        assert usage is not None
        assert usage.throttled > 0
        assert usage.throttled_s > 0
    finally:
        spinner.end()
    placed.leave()
    placed.leave()
    wait_until(lambda: swept(groups), "its group is gone")


def test_a_group_goes_as_soon_as_its_thread_is_gone(groups: CpuGroups) -> None:
    spinner = Spinner()
    try:
        placed = groups.place("stays", spinner.id, 0.5)
        assert placed is not None
        placed.leave()
        assert groups.leaving == 1
        groups.sweep()
        assert groups.leaving == 1
    finally:
        spinner.end()
    wait_until(lambda: swept(groups), "its group is gone")


def test_threads_that_are_ending_are_waited_for_at_the_end(groups: CpuGroups, monkeypatch: pytest.MonkeyPatch) -> None:
    over = threading.Event()
    thread = threading.Thread(target=over.wait)
    thread.start()
    placed = groups.place("ends", thread.native_id or 0, 0.5)
    assert placed is not None
    placed.leave()
    monkeypatch.setattr(made, "CLOSE_S", PATIENCE_S)
    threading.Timer(0.1, over.set).start()
    groups.close()
    assert not (own_folder() / process_name(os.getpid())).exists()
    thread.join()


def test_threads_without_a_quota_share_a_group_that_grows(groups: CpuGroups) -> None:
    folder = own_folder() / process_name(os.getpid()) / "rest"
    spinners = [Spinner() for _ in range(3)]
    try:
        for spinner in spinners:
            groups.breed(spinner.id)
        placed = [groups.rest() for _ in spinners]
        file = folder / ("cpu.shares" if (folder / "cpu.shares").exists() else "cpu.weight")
        threads = folder / ("tasks" if (folder / "tasks").exists() else "cgroup.threads")
        assert {spinner.id for spinner in spinners} <= set(map(int, threads.read_text().split()))
        assert int(file.read_text()) in (4096, 400)
    finally:
        for spinner in spinners:
            spinner.end()
    for each in placed:
        assert each.usage() is None
        each.leave()
    assert int(file.read_text()) in (1024, 100)


def test_a_thread_that_is_over_is_told_as_such(groups: CpuGroups) -> None:
    thread = threading.Thread(target=bool)
    thread.start()
    thread.join()
    assert thread.native_id is not None
    place = Path(f"/proc/self/task/{thread.native_id}")
    wait_until(lambda: not place.exists(), "the kernel has forgotten it")
    with pytest.raises(OSError, match="process"):
        groups.place("late", thread.native_id, 0.5)
    assert groups.leaving == 0


LEAVES = """
import os, sys, threading, time
sys.path.insert(0, {root!r})
from supervisor.limits.cgroups import CpuGroups
groups = CpuGroups.open()
threading.Thread(target=time.sleep, args=(60,), daemon=True).start()
groups.place("left", threading.get_native_id(), 0.5)
print("placed", flush=True)
time.sleep(60)
"""


def test_what_a_killed_process_left_is_removed_and_what_a_living_one_has_is_not(groups: CpuGroups) -> None:
    own = own_folder()
    over = threading.Event()
    thread = threading.Thread(target=over.wait)  # as an isolate's: a process with one thread has none
    thread.start()
    command = [sys.executable, "-c", LEAVES.format(root=str(Path(__file__).parents[2]))]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as other:
        try:
            assert other.stdout is not None
            assert other.stdout.readline() == b"placed\n"
            name = process_name(other.pid)
            remove_leftovers(own)
            assert (own / name / "1-left").is_dir()
        finally:
            other.kill()
    assert (own / name).is_dir()
    wait_until(lambda: removed(own, name), "what it left is gone")
    assert (own / process_name(os.getpid())).is_dir()
    over.set()
    thread.join()


def removed(own: Path, name: str) -> bool:
    remove_leftovers(own)
    return not (own / name).exists()


def test_a_thousand_groups_come_and_go(groups: CpuGroups) -> None:
    over = threading.Event()
    threads = [threading.Thread(target=over.wait) for _ in range(200)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(5):
            placed = [groups.place("many", thread.native_id or 0, 0.5) for thread in threads]
            for each in placed:
                assert each is not None
                each.leave()
    finally:
        over.set()
        for thread in threads:
            thread.join()
    wait_until(lambda: swept(groups), "their groups are gone")
    folder = own_folder() / process_name(os.getpid())
    assert [each.name for each in folder.iterdir() if each.is_dir()] == ["rest"]
