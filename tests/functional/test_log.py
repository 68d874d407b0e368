"""What programs write can only ever be a line of theirs."""

from __future__ import annotations

import json
import os
import pty
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.functional.running import PATIENCE_S, ROOT, Running, environment, handler, write_task

HOSTILE = [
    'line one\n{"level": "error", "task": "other", "event": "forged"}',
    '"}\n{"event": "forged"}',
    "\r\n2026-01-01T00:00:00Z info [other] forged",
    "\x1b[2J\x1b[H\x1b]0;title\x07 forged \x9b31m",
    "\x00\x01\x7f\u0085\u2028\u2029 forged",
    "\ud800 lone \udfff",
    "%s %d %o {} {0} forged",
    "x" * 100_000,
    "\u202eforged\u202c",
]


def hostile_task(folder: Path) -> Path:
    """Logs each text by console.log and as a thrown error's message."""
    texts = json.dumps(HOSTILE)
    return write_task(
        folder,
        f"const texts = {texts}; for (const text of texts) console.log(text);"
        "for (const text of texts) setTimeout(() => { throw new Error(text); });"
        "for (const text of texts) Promise.reject(text);",
        listen=[],
    )


def test_hostile_text_cannot_forge_lines_of_the_json_log(tmp_path: Path) -> None:
    with Running(hostile_task(tmp_path)) as running:
        assert running.wait() == 0
        lines = running.log.lines
        assert len(lines) == len(running.log.raw)
        assert all(line.get("task", "task") == "task" for line in lines)
        console = [line for line in lines if line.get("source") == "console"]
        assert len(console) == 3 * len(HOSTILE)
        for text, line in zip(HOSTILE, console, strict=False):
            expected = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
            assert line["event"] == expected or line["event"].startswith("x" * 16_000), repr(line["event"])[:100]
        assert all(raw.isascii() and raw.endswith(b"}\n") for raw in running.log.raw)


def test_hostile_text_cannot_forge_lines_nor_steer_a_terminal(tmp_path: Path) -> None:
    leader, follower = pty.openpty()
    command = [sys.executable, "-m", "supervisor", "run", str(hostile_task(tmp_path))]
    env = {**environment(), "NO_COLOR": "1", "TERM": "xterm"}
    process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.DEVNULL, stderr=follower, env=env)
    os.close(follower)
    seen = b""
    try:
        while data := os.read(leader, 65_536):
            seen += data
    except OSError:
        pass  # the other side is closed
    finally:
        os.close(leader)
    assert process.wait(PATIENCE_S) == 0
    text = seen.decode()
    assert "\x1b" not in text
    assert "\x9b" not in text
    assert "\u202e" not in text
    for line in text.replace("\r\n", "\n").splitlines():
        if "forged" in line:
            assert "[task]" in line or line.startswith("    | "), line


def test_several_tasks_are_told_apart(tmp_path: Path) -> None:
    files = [
        write_task(tmp_path, f"console.log('I am {name}');", name=name, main=f"{name}.mjs", listen=[]) for name in "abc"
    ]
    with Running(*files) as running:
        assert running.wait() == 0
        console = {line["task"]: line["event"] for line in running.log.lines if line.get("source") == "console"}
        assert console == {name: f"I am {name}" for name in "abc"}


@pytest.mark.parametrize(("level", "seen"), [("debug", "dlwe"), ("info", "lwe"), ("warning", "we"), ("error", "e")])
def test_the_level_counts_for_tasks_too(tmp_path: Path, level: str, seen: str) -> None:
    source = "console.debug('d'); console.log('l'); console.warn('w'); console.error('e');"
    with Running(write_task(tmp_path, source, listen=[]), options=["--log-level", level]) as running:
        assert running.wait() == 0
        assert "".join(line["event"] for line in running.log.lines if line.get("source") == "console") == seen


def test_a_reader_of_the_log_that_goes_away_does_not_end_the_host(tmp_path: Path) -> None:
    source = handler("for (let i = 0; i < 100; i++) console.log('x'.repeat(1000)); return new Response('ok');")
    path = tmp_path / "task.sock"
    command = [sys.executable, "-m", "supervisor", "run", str(write_task(tmp_path, source, listen=[f"unix:{path}"]))]
    process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE)
    assert process.stderr is not None
    try:
        assert b"ready" in process.stderr.readline()
        process.stderr.close()
        for _ in range(20):
            assert ask_unix(path).endswith(b"ok")
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE_S) == 0
    finally:
        process.kill()
        process.wait()


def ask_unix(path: Path) -> bytes:
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(PATIENCE_S)
        client.connect(str(path))
        client.sendall(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        received = b""
        while data := client.recv(4096):
            received += data
        return received
