"""The small program that keeps the first process's id."""

from __future__ import annotations

import subprocess
import sys
import textwrap

import pytest

from supervisor.handover import waiter
from tests.functional.running import ROOT

# Becomes the waiter of the hosts that the lines of `body` start and announce by `host(code to run)`.
PROGRAM = """
import os, signal, subprocess, sys
announced, announce = os.pipe()
read_end, write_end = os.pipe()
hosts = []
def host(code):
    process = subprocess.Popen([sys.executable, "-I", "-S", "-c", code], stdout=subprocess.PIPE)
    process.stdout.readline()
    os.write(announce, process.pid.to_bytes(4))
    hosts.append(process)
{body}
signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR2, signal.SIGCHLD))
for end in (read_end, write_end, announced, announce):
    os.set_inheritable(end, True)
ends = map(str, (read_end, write_end, announced, announce))
os.execv(sys.executable, [sys.executable, "-I", "-S", {waiter!r}, *ends])
"""
LONG = "import time; print(flush=True); time.sleep(60)"
ON_SIGNAL = (
    "import signal, sys, time; signal.signal(signal.{name}, lambda *_: sys.exit(5)); print(flush=True)\n"
    "while True: time.sleep(0.1)"  # not pause(): the signal may come right before it
)


def code_of(body: str) -> int:
    program = PROGRAM.format(body=textwrap.dedent(body), waiter=waiter.__file__)
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, timeout=60, check=False, stderr=subprocess.PIPE)
    assert done.stderr == b""
    return done.returncode


@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT", "SIGHUP", "SIGUSR2"])
def test_signals_that_came_before_it_could_run_are_relayed(name: str) -> None:
    assert code_of(f"host({ON_SIGNAL.format(name=name)!r}); os.write(write_end, bytes([signal.{name}]))") == 5


def test_a_blocked_signal_is_relayed_when_it_runs() -> None:
    unblocked = "import signal; signal.pthread_sigmask(signal.SIG_UNBLOCK, (signal.SIGTERM,)); "
    body = f"""
    signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGTERM,))
    os.kill(os.getpid(), signal.SIGTERM)
    host({unblocked + ON_SIGNAL.format(name="SIGTERM")!r})
    """
    assert code_of(body) == 5


def test_the_code_is_the_newest_hosts_whoever_ends_last() -> None:
    slow = "print(flush=True); import time; time.sleep(0.3); raise SystemExit(1)"
    assert code_of(f"host({slow!r}); host('print(flush=True); raise SystemExit(7)')") == 7


def test_a_host_ended_by_a_signal_is_told_as_shells_do() -> None:
    assert code_of(f"host({LONG!r}); os.kill(hosts[0].pid, signal.SIGKILL)") == 137


def test_without_children_it_ends() -> None:
    assert code_of("") == 0


def test_only_the_newest_gets_signals() -> None:
    newest = ON_SIGNAL.format(name="SIGTERM")
    older = newest.replace("sys.exit(5)", "sys.exit(9)").replace("while True: time.sleep(0.1)", "time.sleep(0.4)")
    body = f"host({older!r}); host({newest!r}); os.write(write_end, bytes([signal.SIGTERM]))"
    assert code_of(body) == 5


IMPATIENT = """
import os, runpy, subprocess, sys
waiter = runpy.run_path(sys.argv[1])
waiter["wait_for_hosts"].__globals__["UNANNOUNCED_MS"] = 50
host = subprocess.Popen([sys.executable, "-I", "-S", "-c", "raise SystemExit(6)"])
left = subprocess.Popen([sys.executable, "-I", "-S", "-c", "import time; time.sleep(60)"])
code = waiter["wait_for_hosts"](*os.pipe(), waiter["Hosts"](*os.pipe(), [host.pid]))
left.kill()
sys.exit(code)
"""


def test_what_a_dead_host_left_behind_does_not_keep_it() -> None:
    done = subprocess.run([sys.executable, "-c", IMPATIENT, waiter.__file__], timeout=60, check=False)
    assert done.returncode == 6


def test_it_imports_nothing_of_ours() -> None:
    """It outlives upgrades, and has to be small."""
    with open(waiter.__file__, encoding="utf-8") as source:
        assert "supervisor" not in source.read()
