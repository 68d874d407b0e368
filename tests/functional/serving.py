"""A real `isolated serve` with its store, its control socket and its log, and the CLI against it."""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.functional.running import PATIENCE_S, ROOT, Answer, Log, ask, environment

TRAFFIC_PAUSE_S = 0.001
# A host that goes waits 3 s for the next request on a kept connection; a client that rests longer may find it closed.
RESTED_S = 2.5


class Serving:
    """A daemon in a folder of its own; leaving stops it, whichever process it is by then."""

    def __init__(self, folder: Path, *, socket_folder: str = ".", **settings: Any) -> None:
        self.folder = folder
        # A Unix socket's path may have 107 characters: not for pytest's folders.
        self._sockets = tempfile.TemporaryDirectory(prefix="iso-")
        self.socket = Path(self._sockets.name) / socket_folder / "control.sock"
        folder.mkdir(parents=True, exist_ok=True)
        document = {"stateDir": str(folder / "state"), "socket": str(self.socket), "warm": 1, **settings}
        self.config = folder / "isolated.toml"
        self.config.write_text("\n".join(f"{name} = {json.dumps(value)}" for name, value in document.items()))
        self.begin()

    def begin(self) -> None:
        """Starts the process, after one that has ended, and waits until it serves."""
        self.start()
        self.log.wait_event("serving")

    def start(self) -> None:
        """Starts the process, and waits for nothing."""
        self.process = subprocess.Popen(
            self.command(), cwd=ROOT, env=environment(), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )  # fmt: skip
        assert self.process.stderr is not None
        self.log = Log(self.process.stderr)

    def command(self) -> list[str]:
        """How the process is started."""
        return [sys.executable, "-m", "supervisor", "serve", "--config", str(self.config), "--log-format", "json"]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if self.process.poll() is None:
                code = self.stop()
                assert kind is not None or code == 0, self.log.text
        finally:
            if self.process.poll() is None:
                self.kill()
            self._sockets.cleanup()
        if kind is None:
            assert "Traceback" not in self.log.text, self.log.text
            assert "defect" not in self.log.text, self.log.text

    def stop(self) -> int:
        """SIGTERM; returns the exit code of the first process, which follows its successors."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(PATIENCE_S)

    def kill(self) -> None:
        """kill -9 of the host, and of what waits for it; returns when none of them is left."""
        for pid in (*_children(self.process.pid), self.process.pid):
            _kill(pid)
        self.process.wait()

    # -- the CLI ---------------------------------------------------------------------------------------------------

    def cli(self, *arguments: Path | str) -> subprocess.CompletedProcess[str]:
        """A command against this host."""
        command = [sys.executable, "-m", "supervisor", *map(str, arguments)]
        return subprocess.run(
            command, cwd=ROOT, env={**environment(), "ISOLATED_HOST": str(self.socket)}, stdin=subprocess.DEVNULL,
            capture_output=True, text=True, timeout=PATIENCE_S, check=False,
        )  # fmt: skip

    def said(self, *arguments: Path | str) -> str:
        """What a command says that must succeed."""
        done = self.cli(*arguments)
        assert done.returncode == 0, f"{arguments}: {done.returncode}\n{done.stdout}{done.stderr}\n{self.log.text}"
        return done.stdout

    def json(self, *arguments: Path | str) -> Any:
        """The same for programs."""
        return json.loads(self.said(*arguments, "--json"))

    @contextlib.contextmanager
    def following(self, *arguments: str) -> Iterator[Iterator[str]]:
        """The lines of a command that goes on, as they come."""
        command = [sys.executable, "-m", "supervisor", *arguments]
        env = {**environment(), "ISOLATED_HOST": str(self.socket)}
        with subprocess.Popen(command, cwd=ROOT, env=env, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            try:
                yield iter(process.stdout)
            finally:
                process.kill()

    def task(self, label: str) -> Any:
        """A task as the API has it."""
        return self.json("get", label)

    def status(self) -> Any:
        """The host."""
        return self.json("status")

    def wait(self, condition: Callable[[], bool], what: str) -> None:
        """Returns when `condition` holds."""
        deadline = time.monotonic() + PATIENCE_S
        while not condition():
            assert time.monotonic() < deadline, f"not yet: {what}\n{self.log.text}"
            time.sleep(0.05)

    # -- requests --------------------------------------------------------------------------------------------------

    def port(self, label: str) -> int:
        """Where a task listens."""
        return int(self.task(label)["listen"][0].rpartition(":")[2])

    def get(self, label: str, path: str = "/") -> Answer:
        """One request."""
        return ask(self.port(label), path)


class Traffic:
    """Asks one port all the while, on connections of its own: each answer has to be the right one."""

    def __init__(self, port: int, text: str) -> None:
        self.answers = 0
        self.wrong: list[str] = []
        self._port = port
        self._text = text
        self._over = threading.Event()
        self._threads = [threading.Thread(target=each, daemon=True) for each in (self._closing, self._keeping)]

    def __enter__(self) -> Self:
        for each in self._threads:
            each.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for each in self._threads:
            each.join(PATIENCE_S)

    def _closing(self) -> None:
        while not self._over.is_set():
            try:
                self._note(ask(self._port, headers={"Connection": "close"}))
            except OSError as error:
                self.wrong.append(repr(error))
            time.sleep(TRAFFIC_PAUSE_S)

    def _keeping(self) -> None:
        """Keeps its connection as long as answers do not say that it ends."""
        import http.client

        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=PATIENCE_S)
        answered = time.monotonic()
        while not self._over.is_set():
            try:
                try:
                    connection.request("GET", "/")
                finally:
                    sent = time.monotonic()
                self._note(Answer(connection.getresponse()))
            except (OSError, http.client.HTTPException) as error:
                if sent - answered < RESTED_S:
                    self.wrong.append(repr(error))
                connection.close()
            answered = time.monotonic()
            time.sleep(TRAFFIC_PAUSE_S)
        connection.close()

    def _note(self, answer: Answer) -> None:
        self.answers += 1
        if answer.text != self._text:
            self.wrong.append(answer.text)


def _kill(pid: int) -> None:
    """kill -9; returns when it is over, whoever its parent is."""
    with contextlib.suppress(ProcessLookupError):  # it is over already
        handle = os.pidfd_open(pid)
        try:
            signal.pidfd_send_signal(handle, signal.SIGKILL)
            poll = select.poll()
            poll.register(handle, select.POLLIN)
            assert poll.poll(PATIENCE_S * 1000), f"process {pid} does not end"
        finally:
            os.close(handle)


def _children(pid: int) -> list[int]:
    found = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):  # that thread is over
            for child in task.read_text().split():
                found += [int(child), *_children(int(child))]
    return found
