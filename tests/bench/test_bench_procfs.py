"""Readings of /proc."""

import os
import subprocess
import sys

from hypothesis import given
from hypothesis import strategies as st

from tools.benchmarks import procfs

STAT = "{pid} ({name}) S 1 {pid} 77 0 -1 4194304 100 0 0 0 {user} {system} 0 0 20 0 1 0 100 1000 10"
ROLLUP = """55e6c3a1c000-7ffd1d5e8000 ---p 00000000 00:00 0    [rollup]
Rss:                2048 kB
Pss:                 512 kB
Pss_Dirty:           100 kB
"""


@given(st.text(st.characters(codec="ascii", exclude_characters="\n"), max_size=15), st.integers(0, 10**9))
def test_stat_is_read_whatever_the_program_is_called(name: str, ticks: int) -> None:
    stat = procfs.parse_stat(STAT.format(pid=5, name=name, user=ticks, system=1))
    assert (stat.state, stat.session) == ("S", 77)
    assert stat.cpu_seconds == (ticks + 1) / procfs.TICKS_PER_SECOND


def test_smaps_rollup_is_read() -> None:
    assert procfs.parse_smaps_rollup(ROLLUP) == procfs.Memory(rss=2048 * 1024, pss=512 * 1024)


def test_status_is_read_and_a_process_without_memory_has_none() -> None:
    text = "Name:\tx\nVmPeak:\t 9000 kB\nVmHWM:\t    2048 kB\nVmRSS:\t    1024 kB\nThreads:\t3\n"
    assert procfs.parse_status(text) == procfs.Resident(now=1024 * 1024, peak=2048 * 1024)
    assert procfs.parse_status("Name:\tx\nState:\tZ (zombie)\n") is None


def test_the_peak_of_a_process_begins_anew() -> None:
    source = "held = bytearray(64 * 2**20); held[::4096] = b'x' * 16384; del held; print(1, flush=True); input()"
    with subprocess.Popen([sys.executable, "-c", source], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        before = procfs.resident(process.pid)
        procfs.reset_peak(process.pid)
        after = procfs.resident(process.pid)
        process.communicate(b"\n")
    assert before is not None
    assert after is not None
    assert before.peak > 64 * 2**20 > after.peak
    assert procfs.resident(process.pid) is None


def test_busy_time_leaves_out_idle_waiting_and_what_guests_used() -> None:
    text = "cpu  100 10 20 9000 900 3 4 5 50 5\ncpu0 1 1 1 1 1 1 1 1 0 0\n"
    assert procfs.parse_busy_seconds(text) == 142 / procfs.TICKS_PER_SECOND


def test_a_session_has_children_and_grandchildren() -> None:
    nested = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'print(1, flush=True); input()'])"
    with subprocess.Popen(
        [sys.executable, "-c", nested], stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        assert len(procfs.session_processes(process.pid)) == 2
        assert procfs.session_memory(process.pid).rss > procfs.session_memory(process.pid).pss > 0
        assert procfs.session_cpu_seconds(process.pid) >= 0
        process.communicate(b"\n")
    assert procfs.session_processes(process.pid) == []
    assert procfs.session_memory(process.pid) == procfs.Memory(rss=0, pss=0)


def test_the_machine_is_busy() -> None:
    assert procfs.machine_busy_seconds() > 0
    assert os.getpid() in procfs.session_processes(os.getsid(0))
