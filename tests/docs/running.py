"""Task files of the documentation, run as a user would, at ports that are free."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from supervisor.spec.files import load_task_file
from supervisor.spec.listen import ListenAddress

CHECKOUT = Path(__file__).resolve().parents[2]
END_S = 60  # far above what an end takes on a busy machine; only a hang gets there


@dataclass(frozen=True, slots=True)
class Running:
    """Tasks that are ready: where each listens, by task id, in the order of its file."""

    addresses: dict[str, list[str]]


@contextmanager
def running(files: Sequence[Path], folder: Path) -> Iterator[Running]:
    """Runs the tasks of `files` until left, then drains them; TCP ports are any, Unix sockets are in `folder`."""
    moved = [moved_task(file, folder) for file in files]
    log = folder / "log"
    with log.open("wb") as stderr:
        command = [sys.executable, "-m", "supervisor", "run", *map(str, moved)]
        process = subprocess.Popen(command, cwd=CHECKOUT, stdin=subprocess.DEVNULL, stderr=stderr)
    try:
        yield Running(ready(process, log, len(moved)))
        process.send_signal(signal.SIGINT)
        assert process.wait(END_S) == 0, log.read_text()
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()


def moved_task(file: Path, folder: Path) -> Path:
    """A copy of a task file in `folder` that says the same but for its addresses."""
    spec = load_task_file(file)
    listen = [moved_address(address, folder) for address in spec.listen]
    copy = folder / f"{spec.label}.json"
    copy.write_text(json.dumps(spec.document() | {"listen": listen}))
    return copy


def moved_address(address: ListenAddress, folder: Path) -> str:
    if address.kind == "unix":
        return f"unix:{folder / Path(address.path).name}"
    return f"[{address.host}]:0" if ":" in address.host else f"{address.host}:0"


def ready(process: subprocess.Popen[bytes], log: Path, count: int) -> dict[str, list[str]]:
    """Waits for so many tasks to say that they are ready, or for the end of the process."""
    found: dict[str, list[str]] = {}
    while len(found) < count:
        ended = process.poll() is not None
        for line in log.read_text().splitlines(keepends=True):
            event = json.loads(line) if line.startswith("{") and line.endswith("\n") else {}
            if event.get("event") == "ready":
                found[event["task"]] = event["listen"].split()
        assert not ended, f"exit code {process.returncode}: {log.read_text()}"
        with_timeout(process)
    return found


def with_timeout(process: subprocess.Popen[bytes]) -> None:
    """Lets a moment pass, less if the process ends."""
    try:
        process.wait(0.02)
    except subprocess.TimeoutExpired:
        return
