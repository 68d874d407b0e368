"""What a person at a terminal sees, by a pseudo-terminal; a pipe gets neither colours nor cut lines."""

from __future__ import annotations

import json
import os
import pty
import re
import signal
import struct
import subprocess
import sys
from fcntl import ioctl
from pathlib import Path
from termios import TIOCSWINSZ

import pytest

from tests.fakes.control_api import ControlApi, a_task, chunked

ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
COLUMNS = 80


def on_terminal(*arguments: str, **environment: str) -> tuple[int, str]:
    """Exit code and all that a terminal of 80 columns got, stderr too."""
    own, its = pty.openpty()
    ioctl(its, TIOCSWINSZ, struct.pack("HHHH", 24, COLUMNS, 0, 0))
    command = [sys.executable, "-m", "supervisor", *arguments]
    variables = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "COLUMNS", "LINES")}
    variables |= {"TERM": "xterm-256color"} | environment
    with subprocess.Popen(command, stdin=its, stdout=its, stderr=its, env=variables) as process:
        os.close(its)
        seen = b""
        try:
            while chunk := os.read(own, 65536):
                seen += chunk
        except OSError:  # Linux says EIO where the other side is closed
            pass
        os.close(own)
        return process.wait(60), seen.decode()


def test_tables_are_coloured_and_fold(api: ControlApi) -> None:
    api.tasks = {"shop": a_task("shop", listen=[f"127.0.0.1:{port}" for port in range(3000, 3010)])}
    code, text = on_terminal("ps")
    assert code == 0
    assert "\x1b[32mrunning" in text
    lines = ESCAPES.sub("", text).splitlines()
    assert max(map(len, lines)) <= COLUMNS
    assert len(lines) > 5


@pytest.mark.parametrize("environment", [{"NO_COLOR": "1"}, {"TERM": "dumb"}])
def test_colours_can_be_refused(api: ControlApi, environment: dict[str, str]) -> None:
    api.tasks = {"shop": a_task("shop")}
    _, text = on_terminal("ps", **environment)
    assert "shop" in text
    assert "\x1b[32m" not in text


def test_progress_is_on_the_terminal_and_goes_away(api: ControlApi, shop: Path) -> None:
    (shop / "data.bin").write_bytes(os.urandom(2**20))
    code, text = on_terminal("apply", str(shop))
    assert code == 0
    assert "shop: uploading" in text
    assert "shop: created" in text


def test_rm_asks(api: ControlApi) -> None:
    """Nobody answers here: the terminal is closed, and nothing happens."""
    api.tasks = {"shop": a_task("shop")}
    own, its = pty.openpty()
    command = [sys.executable, "-m", "supervisor", "rm", "shop"]
    with subprocess.Popen(command, stdin=its, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        os.close(its)
        os.write(own, b"n\n")
        out, err = process.communicate(timeout=60)
    os.close(own)
    assert process.returncode == 1
    assert "Remove shop?" in err
    assert "nothing was removed" in err
    assert out == ""
    assert "shop" in api.tasks


def test_a_pipe_gets_plain_text(api: ControlApi) -> None:
    api.tasks = {"shop": a_task("shop")}
    done = subprocess.run([sys.executable, "-m", "supervisor", "ps"], capture_output=True, timeout=60, check=True)
    assert b"\x1b" not in done.stdout
    assert done.stderr == b""


def test_a_reader_that_goes_away_ends_a_follower(api: ControlApi) -> None:
    line = json.dumps({"time": 1, "level": "info", "source": "console", "text": "x" * 1000}) + "\n"
    api.script("GET", "/v1/tasks/shop/logs", *[chunked([line] * 1000)] * 10)
    command = [sys.executable, "-m", "supervisor", "logs", "-f", "shop"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline().endswith(b"xxx\n")
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(60) == 1


def test_an_interrupt_ends_a_follower(api: ControlApi) -> None:
    event = chunked(['data: {"message": "one"}\n\n'], mime="text/event-stream")
    api.script("GET", "/v1/events", *[event] * 1000)
    command = [sys.executable, "-m", "supervisor", "events"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert b"one" in process.stdout.readline()
        process.send_signal(signal.SIGINT)
        assert process.stderr.read().strip() == b""
        assert process.wait(60) == 130
