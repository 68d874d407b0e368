"""A box: namespaces of its own, where a real init system runs over this machine's files and changes none of them."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

HERE = Path(__file__).parent
CHECKOUT = HERE.parents[1]
STAND_IN = HERE / "stand_in.py"
PATIENCE_S = 60.0  # until something that should come counts as missing; the machine may be busy


class Box:
    """What runs in there; `first` is its first process, as this machine counts."""

    def __init__(self, first: int, outer: subprocess.Popen[bytes]) -> None:
        self.first = first
        self._outer = outer

    def run(self, *command: str, check: bool = True) -> str:
        """Runs a command in the box; returns what it printed, fails with that if its code is not 0."""
        assert self._outer.poll() is None, f"the box ended with code {self._outer.returncode}"
        done = subprocess.run(
            ["nsenter", "--target", str(self.first), "--all", "--", *command],
            capture_output=True,
            text=True,
            timeout=PATIENCE_S * 3,
            check=False,
        )
        assert not check or done.returncode == 0, f"{command} exits {done.returncode}: {done.stdout}{done.stderr}"
        return done.stdout

    def shell(self, script: str, *, check: bool = True) -> str:
        """The same for a script."""
        return self.run("bash", "-c", script, check=check)

    def diary(self) -> list[tuple[int, str]]:
        """What the daemons wrote down: process id in the box, text."""
        lines = self.shell("cat /run/isolated/diary", check=False).splitlines()
        return [(int(pid), text) for pid, _, text in (line.partition(" ") for line in lines)]

    def wait_for_diary(self, text: str, count: int = 1) -> int:
        """Waits until that many lines begin so; returns the process id of the last."""
        wait_until(lambda: len(self._lines(text)) >= count, f"{count}x {text!r}, but {self.diary()}")
        return self._lines(text)[-1]

    def _lines(self, text: str) -> list[int]:
        return [pid for pid, line in self.diary() if line.startswith(text)]


def wait_until(condition: Callable[[], bool], what: str) -> None:
    """Waits until that holds, at most PATIENCE_S; fails naming `what`."""
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, f"waited for {what}"
        time.sleep(0.05)


@contextlib.contextmanager
def box(script: Path, *arguments: str) -> Iterator[Box]:
    """Starts a box whose first process is `script`; everything in it ends with the block."""
    _needs()
    with _cgroup() as group, contextlib.ExitStack() as stack:
        folder = f"/run/isolated-box-{os.getpid()}"  # empty, and masked in the box by a file system in memory
        os.mkdir(folder)
        stack.callback(os.rmdir, folder)
        join = f'echo $$ > "{group}/cgroup.procs"; exec "$@"'
        spaces = ("--mount", "--pid", "--fork", "--cgroup", "--uts", "--ipc", "--net", "--kill-child", "--mount-proc")
        command = ["bash", "-c", join, "bash", "unshare", *spaces, "bash", str(script), folder, str(CHECKOUT)]
        outer = subprocess.Popen([*command, *arguments], stdin=subprocess.DEVNULL)
        try:
            yield Box(_first(group, outer), outer)
        finally:
            outer.kill()
            outer.wait()


def _needs() -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can make a box")
    for program in ("unshare", "nsenter", "ip"):
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not here")
    probe = ["unshare", "--mount", "--pid", "--fork", "--cgroup", "--uts", "--ipc", "--net", "--mount-proc", "true"]
    if subprocess.run(probe, capture_output=True, check=False).returncode != 0:
        pytest.skip("this machine gives no namespaces")


@contextlib.contextmanager
def _cgroup() -> Iterator[Path]:
    """A control group of its own, so that systemd does not take the machine's for its own."""
    root = Path("/sys/fs/cgroup")
    parent = root if (root / "cgroup.controllers").exists() else root / "systemd"
    group = parent / f"isolated-box-{os.getpid()}"
    try:
        group.mkdir()
    except OSError as error:
        pytest.skip(f"no control group for a box: {error}")
    try:
        yield group
    finally:
        wait_until(lambda: _removed(group), f"the end of everything in {group}")


def _removed(group: Path) -> bool:
    for folder in sorted(group.rglob("*/"), key=lambda each: -len(each.parts)):
        with contextlib.suppress(OSError):
            folder.rmdir()
    try:
        group.rmdir()
    except OSError:
        return False
    return True


def _first(group: Path, outer: subprocess.Popen[bytes]) -> int:
    """The first process of the box, once it is there."""
    found: list[int] = []

    def look() -> bool:
        assert outer.poll() is None, f"the box ended with code {outer.returncode}"
        for file in group.rglob("cgroup.procs"):
            found.extend(pid for pid in map(int, file.read_text().split()) if pid > 0 and _is_first(pid))
        return bool(found)

    wait_until(look, "the first process of the box")
    return found[0]


def _is_first(pid: int) -> bool:
    with contextlib.suppress(OSError):
        status = Path(f"/proc/{pid}/status").read_text()
        return any(line.split()[1:] == [str(pid), "1"] for line in status.splitlines() if line.startswith("NSpid:"))
    return False
