"""Programs are started, spoken with, and always ended."""

import socket
import sys
from pathlib import Path

import pytest

from tools.benchmarks import procfs
from tools.benchmarks.children import Launch, free_port, started
from tools.benchmarks.results import MeasurementFailed

# Ignores SIGTERM and has a child that does, too.
STUBBORN = """
import os, signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
os.fork()
os.write(1, b"ready\\n")
time.sleep(60)
"""


def python(source: str, folder: Path, **environment: str) -> Launch:
    return Launch((sys.executable, "-c", source), folder, environment)


def test_nothing_of_a_program_is_left(tmp_path: Path) -> None:
    with started(python("print('ready', flush=True); input()", tmp_path), talk=True) as child:
        assert child.process.stdout is not None
        child.process.stdout.readline()
        assert procfs.session_processes(child.pid) == [child.pid]
    assert procfs.session_processes(child.pid) == []


def test_a_program_that_will_not_end_is_killed_with_its_children(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tools.benchmarks.children.STOP_SECONDS", 1.0)
    with started(python(STUBBORN, tmp_path), talk=True) as child:
        assert child.process.stdout is not None
        assert [child.process.stdout.readline() for _ in range(2)] == ["ready\n"] * 2
        assert len(procfs.session_processes(child.pid)) == 2
    assert procfs.session_processes(child.pid) == []


def test_a_program_is_ended_when_the_block_raises(tmp_path: Path) -> None:
    pids = []

    def interrupted() -> None:
        with started(python("input()", tmp_path), talk=True) as child:
            pids.append(child.pid)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert procfs.session_processes(pids[0]) == []


def test_folder_and_environment_reach_the_program(tmp_path: Path) -> None:
    source = "import os; print(os.getcwd(), os.environ['BENCH_TEST'])"
    with started(python(source, tmp_path, BENCH_TEST="yes"), talk=True) as child:
        assert child.process.stdout is not None
        assert child.process.stdout.readline() == f"{tmp_path.resolve()} yes\n"


def test_a_program_that_died_is_told_with_its_last_words(tmp_path: Path) -> None:
    with started(python("import sys; sys.exit('bad\\nluck')", tmp_path)) as child:
        child.process.wait()
        with pytest.raises(MeasurementFailed, match=r"code 1: bad \| luck"):
            child.check()


def test_a_program_that_is_not_there(tmp_path: Path) -> None:
    with (
        pytest.raises(MeasurementFailed, match="cannot start /nowhere/server: No such file"),
        started(Launch(("/nowhere/server",), tmp_path)),
    ):
        pass


def test_a_free_port_can_be_bound() -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", free_port()))
