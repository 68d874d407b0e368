"""What is too narrow on a machine is told before it hurts, with the remedy."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from supervisor.limits.machine import Machine, read_machine
from supervisor.limits.startup import advice, files_needed
from supervisor.spec.settings import HostSettings

ROOMY = Machine(memory=2**36, open_files=2**20, mappings=2**20, overcommit=0, processes=2**20, processes_by="x")
DEFAULTS = HostSettings()


def test_a_roomy_machine_needs_no_advice() -> None:
    assert advice(ROOMY, DEFAULTS) == ()


def test_the_defaults_fit_linux_as_it_comes() -> None:
    linux = dataclasses.replace(ROOMY, mappings=65_530, processes=32_768, open_files=524_288)
    assert advice(linux, DEFAULTS) == ()


@pytest.mark.parametrize(
    ("narrow", "more", "words"),
    [
        (
            {"mappings": 30_000},
            {},
            ("vm.max_map_count is 30000", "1272 isolates of the 2000", "sysctl -w vm.max_map_count=65536"),
        ),
        ({"open_files": 1024}, {}, ("1024 files", "12256", "LimitNOFILE=", "16384")),
        (
            {"processes": 100, "processes_by": "pids.max of its cgroup"},
            {},
            ("pids.max of its cgroup is 100", "TasksMax="),
        ),
        ({"processes": 100, "processes_by": "RLIMIT_NPROC"}, {}, ("RLIMIT_NPROC is 100", "4128", "ulimit -u")),
        ({"processes": 100, "processes_by": "kernel.pid_max"}, {}, ("sysctl -w kernel.pid_max=8192",)),
        ({"overcommit": 2}, {}, ("vm.overcommit_memory is 2", "=0")),
        ({"address_space": 2**32}, {}, ("4 GiB", "33 MiB", "LimitAS=infinity")),
        ({"memory": 2**30}, {"memory": 2**31}, ("`memory` is 2 GiB", "has 1 GiB")),
        ({"memory": 2**27}, {}, ("128 MiB", "256 MiB or more")),
    ],
)
def test_each_narrow_place_is_told(narrow: dict[str, Any], more: dict[str, Any], words: tuple[str, ...]) -> None:
    (told,) = advice(dataclasses.replace(ROOMY, **narrow), dataclasses.replace(DEFAULTS, **more))
    for word in words:
        assert word in told


@given(
    st.builds(
        Machine,
        memory=st.integers(1),
        open_files=st.none() | st.integers(0),
        mappings=st.integers(0),
        overcommit=st.integers(0, 3),
        processes=st.none() | st.integers(0),
        address_space=st.none() | st.integers(0),
    )
)
def test_any_machine_is_told_in_lines(machine: Machine) -> None:
    for settings in (DEFAULTS, HostSettings(isolates=None, connections=None, memory=None)):
        assert all(told and told.isprintable() for told in advice(machine, settings))


def test_unlimited_settings_need_no_room_that_can_be_named() -> None:
    settings = HostSettings(isolates=None, connections=None)
    assert advice(dataclasses.replace(ROOMY, mappings=10, open_files=1000), settings) == ()


def test_the_machine_of_now_is_read() -> None:
    machine = read_machine()
    assert machine.memory > 0
    assert machine.mappings > 1000
    assert machine.processes is None or machine.processes_by


def put(root: Path, path: str, text: str) -> None:
    (root / path).parent.mkdir(parents=True, exist_ok=True)
    (root / path).write_text(text)


def test_what_cannot_be_read_counts_as_usual(tmp_path: Path) -> None:
    machine = read_machine(tmp_path)
    assert (machine.mappings, machine.overcommit) == (65_530, 0)
    put(tmp_path, "proc/sys/vm/max_map_count", "\xff many")
    assert read_machine(tmp_path).mappings == 65_530


@pytest.mark.parametrize("version", [1, 2])
def test_limits_of_the_cgroup_and_of_those_above_count(tmp_path: Path, version: int) -> None:
    controllers, pids, memory = ("pids", "pids/", "memory/") if version == 1 else ("", "", "")
    lines = (
        [f"5:{controllers}:/isolated.slice/a", "6:memory:/isolated.slice/a"]
        if version == 1
        else ["0::/isolated.slice/a"]
    )
    put(tmp_path, "proc/self/cgroup", "\n".join(lines) + "\n")
    put(tmp_path, "proc/sys/kernel/pid_max", "32768\n")
    put(tmp_path, f"sys/fs/cgroup/{pids}isolated.slice/a/pids.max", "max\n")
    put(tmp_path, f"sys/fs/cgroup/{pids}isolated.slice/pids.max", "77\n")
    limit = "memory.limit_in_bytes" if version == 1 else "memory.max"
    put(tmp_path, f"sys/fs/cgroup/{memory}isolated.slice/a/{limit}", "1048576\n")
    machine = read_machine(tmp_path)
    assert (machine.processes, machine.processes_by) == (77, "pids.max of its cgroup")
    assert machine.memory == 2**20


PROGRAM = """
import resource
from supervisor.limits.startup import prepare, raise_files_to
from supervisor.spec.settings import HostSettings
resource.setrlimit(resource.RLIMIT_NOFILE, (256, 1024))
told = prepare(HostSettings(isolates=10, connections=5000))
soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
assert soft == hard
if hard == 1024:  # no rights to raise it
    assert any("1024 files" in line for line in told), told
else:
    assert hard == 5266 and not any("files" in line for line in told), (hard, told)
"""


def test_open_files_are_raised_as_far_as_rights_go_and_else_told() -> None:
    subprocess.run([sys.executable, "-c", PROGRAM], check=True, timeout=60)
    drop = "from supervisor.limits.capabilities import drop_capabilities; drop_capabilities()\n"
    check = PROGRAM + "assert hard == 1024\n"
    subprocess.run([sys.executable, "-c", drop + check], check=True, timeout=60)


def test_files_are_those_of_isolates_connections_and_our_own() -> None:
    assert files_needed(DEFAULTS) == 2000 + 10_000 + 256
