"""A client of the host's control API: JSON over its Unix socket, one request at a time."""

from __future__ import annotations

import contextlib
import http.client
import json
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

from tools.benchmarks.results import MeasurementFailed

ANSWER_SECONDS = 60.0  # an apply boots the task, a hand-over boots all of them


class Refusal(MeasurementFailed):
    """The host answered, and not by what was asked for."""

    def __init__(self, status: int, problem: str) -> None:
        super().__init__(f"status {status}: {problem}")
        self.status = status


class Control:
    """Blocking. Every method raises Refusal, and OSError or http.client.HTTPException if the host goes away.

    Each request has a connection of its own: a kept one would be that of a process that has handed over.
    """

    def __init__(self, path: Path, seconds: float = ANSWER_SECONDS) -> None:
        self._path = path
        self._seconds = seconds

    def ask(self, method: str, path: str, document: object = None, data: bytes | None = None) -> Any:
        """Sends one request below /v1, with `document` as JSON or `data` as it is; returns the JSON it gets."""
        kind = "application/json" if data is None else "application/octet-stream"
        body = json.dumps(document).encode() if document is not None else data
        text = self._send(method, f"/v1/{path}", body, {} if body is None else {"Content-Type": kind})
        return json.loads(text) if text else None

    def _send(self, method: str, path: str, body: bytes | None, headers: Mapping[str, str]) -> bytes:
        with contextlib.closing(_UnixConnection(self._path, self._seconds)) as connection:
            connection.request(method, path, body, headers)
            response = connection.getresponse()
            text = response.read()
        if response.status >= http.client.MULTIPLE_CHOICES:
            raise Refusal(response.status, text.decode(errors="replace"))
        return text

    # -- what is asked most ----------------------------------------------------------------------------------------

    def apply(self, settings: Mapping[str, object], bundle: str | None = None) -> Any:
        """Makes a task be so."""
        return self.ask("POST", "apply" if bundle is None else f"apply?bundle={bundle}", dict(settings))

    def task(self, label: str) -> Any:
        """One task."""
        return self.ask("GET", f"tasks/{quote(label, safe='')}")

    def tasks(self) -> dict[str, Any]:
        """All tasks, by id."""
        return {each["task"]: each for each in self.ask("GET", "tasks")}

    def remove(self, label: str) -> None:
        """Forgets a task."""
        self.ask("DELETE", f"tasks/{quote(label, safe='')}")

    def stop(self, label: str) -> None:
        """Stops a task."""
        self.ask("POST", f"tasks/{quote(label, safe='')}/stop")

    def start(self, label: str) -> None:
        """Starts a task."""
        self.ask("POST", f"tasks/{quote(label, safe='')}/start")

    def metrics(self) -> str:
        """Prometheus's text."""
        return self._send("GET", "/metrics", None, {}).decode()

    def status(self) -> Any:
        """The host."""
        return self.ask("GET", "status")

    def upgrade(self) -> Any:
        """Hands over; returns when it is done."""
        return self.ask("POST", "upgrade")


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: Path, seconds: float) -> None:
        super().__init__("localhost", timeout=seconds)
        self._path = str(path)

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)
