"""A real `isolated run`, its log, and real HTTP to it."""

from __future__ import annotations

import http.client
import itertools
import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

ROOT = Path(__file__).resolve().parent.parent.parent
PATIENCE_S = 60  # for one step; a slow machine under load needs some

type Line = Mapping[str, Any]


def write_task(folder: Path, source: str, /, *, name: str = "task", main: str = "main.mjs", **settings: Any) -> Path:
    """Writes a task of one file; returns its task file. It listens on a free port unless `listen` says otherwise."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / main).write_text(source)
    file = folder / f"{name}.json"
    document = {"taskId": name, "mainPath": main, "listen": ["127.0.0.1:0"], **settings}
    file.write_text(json.dumps(document))
    return file


def environment() -> dict[str, str]:
    """What processes get; with byte code kept, as each of them loads the same modules."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return {"PYTHONPYCACHEPREFIX": str(ROOT / ".runtime" / "cache" / "bytecode"), **kept}


def handler(body: str, before: str = "") -> str:
    """The source of a module with a fetch handler."""
    return f"{before}\nexport default {{ async fetch(request, env, ctx) {{ {body} }} }};\n"


class Log:
    """What the process wrote to stderr, line by line, as it comes."""

    def __init__(self, stream: Iterable[bytes]) -> None:
        self.raw: list[bytes] = []
        self._changed = threading.Condition()
        self._ended = False
        self._thread = threading.Thread(target=self._read, args=(stream,), daemon=True)
        self._thread.start()

    @property
    def lines(self) -> list[Line]:
        """All lines of the log. What the command says to a person when it fails comes after them."""
        return [json.loads(line) for line in itertools.takewhile(_is_log, list(self.raw))]

    @property
    def text(self) -> str:
        return b"".join(self.raw).decode(errors="replace")

    def wait(self, condition: Callable[[Line], bool]) -> Line:
        """Returns the first line that satisfies `condition`, as soon as it is there."""
        at = 0
        with self._changed:
            while True:
                while at < len(self.raw) and _is_log(self.raw[at]):
                    line: Line = json.loads(self.raw[at])
                    at += 1
                    if condition(line):
                        return line
                assert not self._ended, f"the process ended; its log:\n{self.text}"
                assert self._changed.wait(PATIENCE_S), f"no such line; the log:\n{self.text}"

    def wait_event(self, text: str, **fields: Any) -> Line:
        """Returns the first line with `text` in its event and these fields."""
        return self.wait(
            lambda line: text in line["event"] and all(line.get(name) == value for name, value in fields.items())
        )

    def wait_end(self) -> None:
        self._thread.join(PATIENCE_S)
        assert not self._thread.is_alive()

    def _read(self, stream: Iterable[bytes]) -> None:
        for line in stream:
            with self._changed:
                self.raw.append(line)
                self._changed.notify_all()
        with self._changed:
            self._ended = True
            self._changed.notify_all()


def _is_log(line: bytes) -> bool:
    return not line.startswith(b"isolated: ")


class Running:
    """One process; leaving ends it and looks at what it left behind."""

    def __init__(self, *files: Path | str, options: Iterable[str] = ()) -> None:
        command = [sys.executable, "-m", "supervisor", "run", "--log-format", "json", *options, *map(str, files)]
        self.process = subprocess.Popen(
            command, cwd=ROOT, env=environment(),
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
        assert self.process.stderr is not None
        self.log = Log(self.process.stderr)

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
                self.process.kill()
                self.process.wait()
            if self.process.stdout is not None:
                self.process.stdout.close()
        if kind is None:
            self._look_at_log()

    def _look_at_log(self) -> None:
        self.log.wait_end()
        for line in self.log.lines:
            assert {"timestamp", "level", "event"} <= line.keys(), line
            assert "Traceback" not in str(line), line
            assert "defect" not in line["event"], line

    # the process

    @property
    def pid(self) -> int:
        return self.process.pid

    def signal(self, number: int) -> None:
        self.process.send_signal(number)

    def wait(self) -> int:
        """Its exit code, when it has ended."""
        code = self.process.wait(PATIENCE_S)
        self.log.wait_end()
        return code

    def stop(self) -> int:
        """Asks it to drain; returns its exit code."""
        self.signal(signal.SIGTERM)
        return self.wait()

    def addresses(self, task: str = "task") -> list[str]:
        """Where a task listens, when it is ready."""
        listen: str = self.log.wait_event("ready", task=task)["listen"]
        return listen.split(" ")

    def port(self, task: str = "task") -> int:
        return int(self.addresses(task)[0].rpartition(":")[2])

    def rss_mib(self) -> float:
        """Memory that it has in RAM."""
        pages = int(Path(f"/proc/{self.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 2**20

    def threads(self) -> int:
        return len(list(Path(f"/proc/{self.pid}/task").iterdir()))

    # HTTP

    def get(self, path: str = "/", *, task: str = "task", **options: Any) -> Answer:
        """One request on a connection of its own."""
        return ask(self.port(task), path, **options)

    def connect(self, task: str = "task") -> socket.socket:
        """A raw connection."""
        return socket.create_connection(("127.0.0.1", self.port(task)), timeout=PATIENCE_S)


class Answer:
    """A whole response."""

    def __init__(self, response: http.client.HTTPResponse) -> None:
        self.status = response.status
        self.headers = response.headers
        self.body = response.read()

    @property
    def text(self) -> str:
        return self.body.decode()

    @property
    def problem(self) -> dict[str, Any]:
        assert self.headers["content-type"] == "application/problem+json"
        document: dict[str, Any] = json.loads(self.body)
        assert document["status"] == self.status
        return document


def ask(
    port: int,
    path: str = "/",
    *,
    method: str = "GET",
    body: bytes | Iterable[bytes] | None = None,
    headers: Mapping[str, str] | None = None,
    host: str = "127.0.0.1",
) -> Answer:
    """One request on a connection of its own; a body that is not bytes is sent chunked."""
    connection = http.client.HTTPConnection(host, port, timeout=PATIENCE_S)
    try:
        connection.request(method, path, body=body, headers=dict(headers or {}))
        return Answer(connection.getresponse())
    finally:
        connection.close()


def ask_both_ways(port: int, path: str, pieces: Iterable[bytes]) -> Answer:
    """Sends a chunked body while it reads the answer, as one must where the answer streams."""
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S) as client:
        client.sendall(b"POST %b HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" % path.encode())

        def send() -> None:
            for piece in pieces:
                client.sendall(b"%x\r\n%b\r\n" % (len(piece), piece))
            client.sendall(b"0\r\n\r\n")

        sending = threading.Thread(target=send, daemon=True)
        sending.start()
        response = http.client.HTTPResponse(client, method="POST")
        response.begin()
        answer = Answer(response)
        sending.join(PATIENCE_S)
        return answer


def run(*arguments: Path | str) -> subprocess.CompletedProcess[str]:
    """A command that ends by itself."""
    command = [sys.executable, "-m", "supervisor", *map(str, arguments)]
    return subprocess.run(
        command, cwd=ROOT, env=environment(), stdin=subprocess.DEVNULL, capture_output=True, text=True,
        timeout=PATIENCE_S, check=False,
    )  # fmt: skip
