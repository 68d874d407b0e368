"""The daemon under measurement: it comes, it says what it refuses, and nothing of it is left."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tools.benchmarks import applying, procfs
from tools.benchmarks.cache import ROOT
from tools.benchmarks.control import Refusal
from tools.benchmarks.our_host import OurHost, environment, free_ports, our_host
from tools.benchmarks.ours import Served
from tools.benchmarks.results import MeasurementFailed


def test_settings_of_the_caller_do_not_reach_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ISOLATED_STATE_DIR", "/elsewhere")
    monkeypatch.setenv("NOTIFY_SOCKET", "/elsewhere")
    monkeypatch.setenv("LANG", "C.UTF-8")
    assert environment().keys().isdisjoint({"ISOLATED_STATE_DIR", "NOTIFY_SOCKET"})
    assert environment()["LANG"] == "C.UTF-8"


def test_it_is_ready_refuses_what_is_wrong_and_stops(tmp_path: Path) -> None:
    with our_host(tmp_path) as host:
        assert host.control.status()["state"] == "ready"
        with pytest.raises(Refusal, match="status 4") as refused:
            host.control.apply({"taskId": "wrong", "listen": "everywhere"})
        assert 400 <= refused.value.status < 500
        assert host.control.tasks() == {}
        assert host.stop() == 0
        with pytest.raises(MeasurementFailed, match="ended with code 0"):
            host.check()
    assert procfs.session_processes(host.pid) == []
    assert not host.log.read_text().count("Traceback")


@pytest.mark.parametrize("error", [KeyboardInterrupt, MeasurementFailed])
def test_it_is_killed_when_the_block_is_left(tmp_path: Path, error: type[BaseException]) -> None:
    hosts: list[OurHost] = []

    def left() -> None:
        with our_host(tmp_path) as host:
            hosts.append(host)
            assert procfs.session_processes(host.pid)
            raise error

    with pytest.raises(error):
        left()
    assert procfs.session_processes(hosts[0].pid) == []


def test_a_host_that_goes_away_is_a_failure_with_its_last_words(tmp_path: Path) -> None:
    def asked() -> None:
        with our_host(tmp_path) as host:
            while "serving" not in host.log.read_text():  # lines are written a moment after they are said
                time.sleep(0.01)
            host.kill()
            host.control.status()

    with pytest.raises(MeasurementFailed, match=r"the control API: .*; .*serving"):
        asked()


def test_wrong_settings_are_a_failure_with_what_it_said(tmp_path: Path) -> None:
    with pytest.raises(MeasurementFailed, match=r"ended with code .*warm"), our_host(tmp_path, {"warm": "many"}):
        pass


def test_free_ports_are_different_and_nobody_listens_on_them() -> None:
    ports = free_ports(50)
    assert len(set(ports)) == 50
    for port in ports:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # connections of others may linger there
            probe.bind(("127.0.0.1", port))
    with pytest.raises(MeasurementFailed, match="ports are free"):
        free_ports(100_000)


def test_a_port_that_was_lost_is_replaced_and_another_refusal_is_not_forgiven(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with our_host(tmp_path) as host, socket.create_server(("127.0.0.1", 0)) as other:
        taken = other.getsockname()[1]
        offers = iter([[taken, *free_ports(1)], free_ports(1)])
        monkeypatch.setattr(applying, "free_ports", lambda _count: next(offers))
        applied = applying.apply_many(host, Served("1"), 2, tmp_path, idle="1h")
        assert taken not in applied.ports
        assert len(set(applied.ports)) == len(applied.milliseconds) == len(host.control.tasks()) == 2
        monkeypatch.undo()
        with pytest.raises(Refusal, match="idle"):
            applying.apply_many(host, Served("1"), 1, tmp_path, idle="never")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_leaves_no_daemon(tmp_path: Path, number: signal.Signals) -> None:
    bench = subprocess.Popen(
        [sys.executable, "-m", "tools.benchmarks", "daemon", "--wakes", "2000"],
        cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT), "TMPDIR": str(tmp_path)},
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip
    try:
        host = _wait_for_host(bench)
        bench.send_signal(number)
        assert bench.wait(60) == 1
    finally:
        for pid in procfs.session_processes(bench.pid):  # it, and what it may be building
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        bench.wait()
    assert procfs.session_processes(host) == []
    assert list(tmp_path.iterdir()) == []


def _wait_for_host(bench: subprocess.Popen[bytes]) -> int:
    deadline = time.monotonic() + 120  # what it runs may have to be built first
    while time.monotonic() < deadline and bench.poll() is None:
        for child in Path(f"/proc/{bench.pid}/task/{bench.pid}/children").read_text().split():
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):  # it has ended meanwhile
                if b"serve\0" in Path(f"/proc/{child}/cmdline").read_bytes():
                    return int(child)
        time.sleep(0.02)
    raise AssertionError("no daemon was started")
