"""The switch between host and agent, with a program that sleeps in the agent's place."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from supervisor.cluster.serf import deadman

DEADLINE_S = 60.0
AGENT = ["/bin/sh", "-c", "echo $$; exec sleep 600"]


class Switch:
    """Started as the host does it."""

    def __init__(self, patience_s: float, command: list[str]) -> None:
        theirs, self.beats = os.pipe()
        words = [sys.executable, "-I", "-S", str(Path(deadman.__file__)), str(theirs), str(patience_s), *command]
        self.process = subprocess.Popen(words, stdout=subprocess.PIPE, pass_fds=(theirs,), env={}, process_group=0)
        os.close(theirs)

    def agent(self) -> int:
        """Its id."""
        assert self.process.stdout is not None
        return int(self.process.stdout.readline())

    def close(self) -> None:
        if self.beats >= 0:
            os.close(self.beats)
        self.beats = -1

    def end(self) -> None:
        self.close()
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.communicate()


@pytest.fixture
def start() -> Iterator[Callable[..., Switch]]:
    switches: list[Switch] = []

    def begin(patience_s: float = 600.0, command: list[str] = AGENT) -> Switch:
        switches.append(Switch(patience_s, command))
        return switches[-1]

    yield begin
    for each in switches:
        each.end()


def gone(pid: int) -> bool:
    """Whether a process that is not ours to reap has ended."""
    deadline = time.monotonic() + DEADLINE_S
    while time.monotonic() < deadline:
        try:
            if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
                return True
        except FileNotFoundError, ProcessLookupError:
            return True
        time.sleep(0.02)
    return False


def test_the_agent_goes_when_the_host_is_gone(start: Callable[..., Switch]) -> None:
    switch = start()
    agent = switch.agent()
    switch.close()
    assert switch.process.wait(DEADLINE_S) == deadman.HOST_GONE
    assert gone(agent)


def test_the_agent_goes_when_the_heart_stops_and_not_before(start: Callable[..., Switch]) -> None:
    switch = start(1.0)
    agent = switch.agent()
    last = time.monotonic()
    with suppress(BrokenPipeError):  # of a machine so busy that this test stood still for a second itself
        for _ in range(15):
            now = time.monotonic()
            os.write(switch.beats, b".")
            last = now
            time.sleep(0.1)
    assert switch.process.wait(DEADLINE_S) == deadman.HOST_SILENT
    assert time.monotonic() - last >= 0.95
    assert gone(agent)


def test_the_agent_goes_when_the_switch_is_killed(start: Callable[..., Switch]) -> None:
    switch = start()
    agent = switch.agent()
    switch.process.kill()
    assert gone(agent)


def test_an_agent_that_is_stopped_goes_too(start: Callable[..., Switch]) -> None:
    switch = start()
    agent = switch.agent()
    os.kill(agent, signal.SIGSTOP)
    switch.close()
    assert switch.process.wait(DEADLINE_S) == deadman.HOST_GONE
    assert gone(agent)


@pytest.mark.parametrize(
    ("command", "code"),
    [
        (["/bin/sh", "-c", "exit 7"], 7),
        (["/bin/sh", "-c", "kill -ABRT $$"], deadman.SIGNALLED + signal.SIGABRT),
        (["/nonexistent/serf"], deadman.NOT_STARTED),
    ],
)
def test_the_agents_end_is_the_switchs(start: Callable[..., Switch], command: list[str], code: int) -> None:
    assert start(600.0, command).process.wait(DEADLINE_S) == code


def test_the_agent_has_no_end_of_the_hosts_pipe(start: Callable[..., Switch]) -> None:
    """Or it would look alive to a switch that waits for its other end."""
    # One that tells its id when it is loaded: what is executed after that opens its libraries.
    told = "import os, time; print(os.getpid(), flush=True); time.sleep(600)"
    switch = start(command=[sys.executable, "-I", "-S", "-c", told])
    agent = switch.agent()
    assert sorted(map(int, os.listdir(f"/proc/{agent}/fd"))) == [0, 1, 2]
