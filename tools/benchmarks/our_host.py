"""A daemon of isolated: `isolated serve` in a folder of its own, driven by its control API."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tools.benchmarks import procfs
from tools.benchmarks.cache import ROOT
from tools.benchmarks.children import PORTS, last_lines
from tools.benchmarks.control import Control
from tools.benchmarks.interrupts import interrupts_wait
from tools.benchmarks.results import MeasurementFailed

READY_SECONDS = 60.0
STOP_SECONDS = 40.0  # it answers what is under way, for 30 s at most
LOOK_SECONDS = 0.002
NOT_INHERITED = ("ISOLATED_", "NOTIFY_SOCKET", "WATCHDOG_", "PYTHONDONTWRITEBYTECODE")


def command(config: Path) -> list[str]:
    """Starts it."""
    return [sys.executable, "-P", "-m", "supervisor", "serve", "--config", str(config), "--log-format", "json"]


def environment() -> dict[str, str]:
    """What it gets: none of the caller's settings; byte code is kept, as it is started again and again."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(NOT_INHERITED)}
    return {"PYTHONPYCACHEPREFIX": str(ROOT / ".runtime" / "cache" / "bytecode"), **kept, "PYTHONPATH": str(ROOT)}


def write_settings(folder: Path, socket_path: Path, settings: Mapping[str, object]) -> Path:
    """Writes the settings file of a host whose state is in `folder`, and returns it."""
    document = {"stateDir": str(folder / "state"), "socket": str(socket_path), **settings}
    file = folder / "isolated.toml"
    file.write_text("".join(f"{name} = {json.dumps(value)}\n" for name, value in document.items()), encoding="utf-8")
    return file


class OurHost:
    """Its process may be started and killed again and again; whoever serves is in the session of the process."""

    def __init__(self, config: Path, socket_path: Path) -> None:
        self.folder = config.parent
        self.control = Control(socket_path)
        self.log = self.folder / "log"
        self._config = config
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """The process that was started, which may not be the host any more."""
        assert self._process is not None, "it was not started"
        return self._process.pid

    def begin(self) -> None:
        """Starts the process, and waits for nothing."""
        with self.log.open("ab") as log, interrupts_wait():
            self._process = subprocess.Popen(
                command(self._config), cwd=self.folder, env=environment(),
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip

    def wait_ready(self) -> None:
        """Returns when it answers and has all its tasks. Raises MeasurementFailed."""
        deadline = time.monotonic() + READY_SECONDS
        while True:
            self.check()
            try:
                if self.control.status()["state"] == "ready":
                    return
            except OSError, http.client.HTTPException:
                pass
            if time.monotonic() > deadline:
                raise MeasurementFailed(f"not ready within {READY_SECONDS:.0f} s: {last_lines(self.log)}")
            time.sleep(LOOK_SECONDS)

    def check(self) -> None:
        """Raises MeasurementFailed if the process has ended."""
        if self._process is not None and self._process.poll() is not None:
            raise MeasurementFailed(f"ended with code {self._process.returncode}: {last_lines(self.log)}")

    def reap(self) -> None:
        """Takes note of the process's end, if it has ended."""
        if self._process is not None:
            self._process.poll()

    def kill(self) -> None:
        """kill -9 of all of it; returns when nothing is left."""
        if self._process is None:
            return
        while left := procfs.session_processes(self.pid):
            for pid in left:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            self._process.poll()
            time.sleep(LOOK_SECONDS)
        self._process.wait()

    def stop(self) -> int:
        """SIGTERM; returns the exit code. Raises MeasurementFailed if it does not end."""
        assert self._process is not None, "it was not started"
        self._process.terminate()
        try:
            return self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            raise MeasurementFailed(f"it did not stop: {last_lines(self.log)}") from None


@contextmanager
def our_host(folder: Path, settings: Mapping[str, object] | None = None) -> Iterator[OurHost]:
    """A host that is ready; nothing of it is left afterwards. Raises MeasurementFailed."""
    folder.mkdir(parents=True, exist_ok=True)
    # A socket's path may have 107 characters, which folders of tests use up.
    with tempfile.TemporaryDirectory(prefix="host-") as short:
        path = Path(short) / "control.sock"
        host = OurHost(write_settings(folder, path, settings or {}), path)
        try:
            host.begin()
            host.wait_ready()
            yield host
        except (OSError, http.client.HTTPException) as error:
            raise MeasurementFailed(f"the control API: {error!r}; {last_lines(host.log)}") from error
        finally:
            host.kill()


def free_ports(count: int) -> list[int]:
    """So many TCP ports of 127.0.0.1 that nobody listens on. Raises MeasurementFailed."""
    first = secrets.randbelow(len(PORTS))
    found: list[int] = []
    for number in range(len(PORTS)):
        port = PORTS[(first + number) % len(PORTS)]
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", port))
            found.append(port)
        if len(found) == count:
            return found
    raise MeasurementFailed(f"only {len(found)} of {count} ports are free")
