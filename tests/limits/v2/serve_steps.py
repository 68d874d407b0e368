"""Runs in the guest: the daemon itself, with a task that would take a whole core and may take a fifth of one."""

from __future__ import annotations

import http.client
import json
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any

from supervisor.spec.enforcement import QUOTA
from tests.limits.v2.measuring import WARM_UP_S, cpu_s, show, tell

ROOT = Path("/sys/fs/cgroup")
FOLDER = Path("/tmp/serve")
SOCKET = FOLDER / "control.sock"
SECONDS = 4.0
START_S = 90.0  # of the daemon; V8 is emulated as well
# It spins once it was asked to: until then the daemon has both processors to itself.
SOURCE = """\
export default { fetch() { setTimeout(() => { for (;;) ; }, 10); return new Response('spins'); } };
"""
UNLIMITED = {"request": None, "startup": None, "wall": None}


class _Socket(http.client.HTTPConnection):
    """To the control API: a command line of its own takes seconds to start in emulation."""

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(START_S)
        self.sock.connect(str(SOCKET))


def main() -> None:
    """Applies one with and one without a quota, measures their threads, and ends the daemon in good order."""
    service = ROOT / "isolated.service"
    service.mkdir()
    FOLDER.mkdir()
    words = ["serve", "--state-dir", str(FOLDER / "state"), "--socket", str(SOCKET), "--drain", "1s"]
    join = f'echo $$ > {service}/cgroup.procs; exec "$@"'
    with (FOLDER / "log").open("w") as log:
        daemon = subprocess.Popen(
            ["sh", "-c", join, "sh", sys.executable, "-m", "supervisor", *words, "--log-format=json"], stderr=log
        )
    try:
        _wait_for(daemon)
        tell("status", quota=next(each for each in _api("GET", "status")["enforces"] if each["limit"] == QUOTA))
        for name, quota in (("slow", 0.2), ("free", None)):
            _spin(_api("POST", "apply", _task(name, quota)))
        tell("daemon quota", shares=_busiest(daemon.pid), groups=_groups(service))
        tell("get", **_api("GET", "tasks/slow"))
    finally:
        daemon.send_signal(signal.SIGTERM)
        code = daemon.wait(START_S)
        for line in (FOLDER / "log").read_text().splitlines():
            show(f"log {line}")
    tell("ended", code=code, groups=_groups(service))


def _task(name: str, quota: float | None) -> dict[str, Any]:
    folder = FOLDER / name
    folder.mkdir()
    (folder / "main.mjs").write_text(SOURCE)
    limits = {"cpu": {**UNLIMITED, "quota": quota}}
    return {"taskId": name, "pwd": str(folder), "mainPath": "main.mjs", "listen": ["127.0.0.1:0"], "limits": limits}


def _spin(applied: dict[str, Any]) -> None:
    with urllib.request.urlopen(f"http://{applied['listen'][0]}/", timeout=START_S) as answer:
        assert answer.read() == b"spins"


def _busiest(pid: int) -> list[float]:
    """The shares of a core that the two busiest threads had."""
    time.sleep(WARM_UP_S)
    threads = [int(each.name) for each in Path(f"/proc/{pid}/task").iterdir()]
    before, start = {each: cpu_s(each, pid) for each in threads}, time.monotonic()
    time.sleep(SECONDS)
    took = time.monotonic() - start
    found = sorted((round((cpu_s(each, pid) - was) / took, 4) for each, was in before.items()), reverse=True)
    return found[:2]


def _groups(below: Path) -> list[str]:
    return sorted(str(each.relative_to(below)) for each in below.rglob("*/"))


def _wait_for(daemon: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_S
    while '"serving"' not in (FOLDER / "log").read_text():
        assert daemon.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.2)


def _api(method: str, path: str, body: object = None) -> Any:
    connection = _Socket("localhost")
    connection.request(method, f"/v1/{path}", json.dumps(body), {"Content-Type": "application/json"})
    answer = connection.getresponse()
    text = answer.read()
    assert answer.status < 300, f"{method} {path}: {answer.status} {text!r}"
    return json.loads(text)


if __name__ == "__main__":
    main()
