"""Starts mini hosts and listens to what they say."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

from tests.functional.running import ROOT, environment

PATIENCE_S = 60.0
HERE = Path(__file__).parent

type Said = dict[str, Any]


class Mini:
    """A mini host and its successors, which share its stdout. Ends all of them when left."""

    def __init__(self, program: str = "mini_host.py", **settings: str) -> None:
        kept = {name: value for name, value in environment().items() if name != "NOTIFY_SOCKET"}
        self.process = subprocess.Popen(
            [sys.executable, str(HERE / program)], cwd=ROOT, env={**kept, "PYTHONPATH": str(ROOT), **settings},
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
        assert self.process.stdout is not None
        assert self.process.stderr is not None
        self.said: list[Said] = []
        self.stderr = b""
        self._ended = 0
        self._changed = threading.Condition()
        for read, stream in ((self._hear, self.process.stdout), (self._complain, self.process.stderr)):
            threading.Thread(target=read, args=(stream,), daemon=True).start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        for pid in {self.process.pid, *(line["pid"] for line in self.said)}:
            if self._is_ours(pid):
                os.kill(pid, signal.SIGKILL)
        self.process.wait(PATIENCE_S)

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def ports(self) -> list[int]:
        ports: list[int] = self.wait("host")["ports"]
        return ports

    def wait(self, said: str, generation: int = 0) -> Said:
        """The first time that a generation said that."""

        def found() -> list[Said]:
            return [line for line in self.said if (line["said"], line["generation"]) == (said, generation)]

        self._until(lambda: bool(found()) or self._ended == 2)
        assert found(), f"nobody said {said}: {self.said} {self.stderr.decode()}"
        return found()[0]

    def wait_all_gone(self) -> None:
        """Returns when no process has our stdout and stderr any more."""
        self._until(lambda: self._ended == 2)

    def ask(self, port: int) -> int:
        """The generation that answers a connection."""
        with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S) as client:
            client.sendall(b"who\n")
            return int(client.makefile().readline())

    def _is_ours(self, pid: int) -> bool:
        try:
            words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        except OSError:
            return False
        return any(word.startswith(os.fsencode(HERE)) or word.endswith(b"waiter.py") for word in words)

    def _until(self, condition: Callable[[], bool]) -> None:
        with self._changed:
            assert self._changed.wait_for(condition, PATIENCE_S), f"{self.said} {self.stderr.decode()}"

    def _hear(self, stream: Any) -> None:
        for line in stream:
            with self._changed:
                self.said.append(json.loads(line))
                self._changed.notify_all()
        self._end()

    def _complain(self, stream: Any) -> None:
        for line in stream:
            with self._changed:
                self.stderr += line
        self._end()

    def _end(self) -> None:
        with self._changed:
            self._ended += 1
            self._changed.notify_all()
