"""Programs under measurement: started in a session of their own, always ended, by id."""

from __future__ import annotations

import contextlib
import os
import secrets
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tools.benchmarks import procfs
from tools.benchmarks.interrupts import interrupts_wait
from tools.benchmarks.results import MeasurementFailed

STOP_SECONDS = 5.0  # what a program gets to end after SIGTERM
KILLED_SECONDS = 60.0  # and after SIGKILL, which nobody can refuse: only a busy machine takes long over it
# Below those that the system gives to connections, so that a port is still free when it is wanted again.
PORTS = range(10_240, 32_000)
TRIES = 1000  # ports that are looked at for a free one
OUTPUT_LINES = 6  # of its output, in the message about a program that failed


@dataclass(frozen=True)
class Launch:
    """A command: its arguments, its working folder, and what is added to the environment."""

    argv: tuple[str, ...]
    folder: Path
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass
class Child:
    """A running program. `pid` leads its session."""

    process: subprocess.Popen[str]
    log: Path

    @property
    def pid(self) -> int:
        """The id of the process and of its session."""
        return self.process.pid

    def check(self) -> None:
        """Raises MeasurementFailed with the end of its output if the program has ended."""
        if self.process.poll() is not None:
            raise MeasurementFailed(f"ended with code {self.process.returncode}: {last_lines(self.log)}")


@contextmanager
def started(launch: Launch, *, talk: bool = False) -> Iterator[Child]:
    """Runs a program for the length of the block. With `talk`, its stdin and stdout are pipes.

    Raises MeasurementFailed if it cannot be started. Afterwards nothing of its session is left.
    """
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        log = Path(folder) / "log"
        process = None
        try:
            with log.open("w", encoding="utf-8") as output, interrupts_wait():
                process = _popen(launch, output.fileno(), talk=talk)
            yield Child(process, log)
        finally:
            if process is not None:
                _end(process)


def last_lines(log: Path) -> str:
    """Returns the end of a program's output on one line."""
    lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()[-OUTPUT_LINES:]
    return " | ".join(line.strip() for line in lines) or "(it said nothing)"


def free_port() -> int:
    """Returns a TCP port of 127.0.0.1 that nobody listens on at this moment. Raises MeasurementFailed."""
    for _ in range(TRIES):
        port = secrets.choice(PORTS)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise MeasurementFailed(f"none of {TRIES} ports was free")


def _popen(launch: Launch, log: int, *, talk: bool) -> subprocess.Popen[str]:
    try:
        return subprocess.Popen(
            launch.argv,
            cwd=launch.folder,
            env={**os.environ, **launch.environment},
            stdin=subprocess.PIPE if talk else subprocess.DEVNULL,
            stdout=subprocess.PIPE if talk else log,
            stderr=log,
            text=True,
            start_new_session=True,
        )
    except OSError as error:
        raise MeasurementFailed(f"cannot start {launch.argv[0]}: {error.strerror}") from error


def _end(process: subprocess.Popen[str]) -> None:
    """Ends everything in the session: politely, then by SIGKILL."""
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            pipe.close()
    for number, seconds in ((signal.SIGTERM, STOP_SECONDS), (signal.SIGKILL, KILLED_SECONDS)):
        _signal_session(process.pid, number)
        if _over_within(process, seconds):
            return


def _over_within(process: subprocess.Popen[str], seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while not _is_over(process):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


def _is_over(process: subprocess.Popen[str]) -> bool:
    return process.poll() is not None and not procfs.session_processes(process.pid)


def _signal_session(leader: int, number: signal.Signals) -> None:
    for pid in procfs.session_processes(leader):
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            continue
