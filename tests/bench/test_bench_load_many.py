"""wrk on many ports, played by a program that keeps its contract: a report on SIGINT."""

import sys
import time
from pathlib import Path

import pytest

from tools.benchmarks import load_many
from tools.benchmarks.load import Wrk
from tools.benchmarks.load_many import Going, load_on, script
from tools.benchmarks.results import MeasurementFailed

# Who has read its arguments may interrupt it: they are written where it is ready for that.
PROGRAM = """#!{python}
import pathlib, sys, time
try:
    pathlib.Path("{folder}", "arguments").write_text(" ".join(sys.argv[1:]))
    time.sleep(300)
except KeyboardInterrupt:
    {at_the_end}
"""
REPORT = 'BENCH {"requests":7,"duration_us":2000000,"p50_us":1500,"p99_us":44000,"max_us":90000,"errors":2}'


def pretend_wrk(folder: Path, at_the_end: str = f"print('{REPORT}')") -> Wrk:
    """What stands for wrk."""
    program = folder / "wrk"
    program.write_text(PROGRAM.format(python=sys.executable, folder=folder, at_the_end=at_the_end))
    program.chmod(0o755)
    return Wrk(program, None)


def wait_for(file: Path) -> str:
    deadline = time.monotonic() + 60
    while not (file.exists() and file.read_text()):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    return file.read_text()


def test_each_port_has_a_thread_and_the_script_says_what_becomes_of_connections() -> None:
    assert 'local ports = {"1234", "1235"}' in script([1234, 1235], close=False)
    assert 'wrk.headers["Connection"] = nil' in script([1234], close=False)
    assert 'wrk.headers["Connection"] = "close"' in script([1234], close=True)
    assert "%(" not in script([1234], close=True)


def test_it_goes_on_until_it_is_asked_to_end(tmp_path: Path) -> None:
    load = load_on(pretend_wrk(tmp_path), [1, 2, 3], connections=6, seconds=60, close=False, folder=tmp_path)
    with load as going:
        arguments = wait_for(tmp_path / "arguments")
        report = going.end()
    assert "-t3 -c6 -d60s" in arguments
    assert (report.requests, report.errors, report.p50_ms) == (7, 2, 1.5)


def test_it_is_ended_with_the_block_whatever_happens_in_it(tmp_path: Path) -> None:
    seen: list[Going] = []

    def interrupted() -> None:
        with load_on(pretend_wrk(tmp_path), [1], connections=1, seconds=60, close=True, folder=tmp_path) as going:
            seen.append(going)
            wait_for(tmp_path / "arguments")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert seen[0].is_over


def test_one_that_does_not_end_is_a_failure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(load_many, "ANSWER_SECONDS", 0.1)
    wrk = pretend_wrk(tmp_path, "time.sleep(300)")
    load = load_on(wrk, [1], connections=1, seconds=60, close=False, folder=tmp_path)
    with load as going:
        wait_for(tmp_path / "arguments")
        with pytest.raises(MeasurementFailed, match="did not end"):
            going.end()
