"""The names of our groups, and what a process that was killed left of them. Blocking."""

from __future__ import annotations

import errno
import os
import re
import time
from pathlib import Path

PREFIX = "isolated-"
_NAME = re.compile(rf"{PREFIX}(\d+)-(\d+)")
_OTHER = re.compile(r"[^A-Za-z0-9_-]")
LABEL = 40  # letters of a task's id in a group's name, which is there for people
ENDING_S = 0.5  # for threads of a killed process, which leave their groups some milliseconds after it


def process_name(pid: int) -> str:
    """The name of the group that holds a process's groups: its start is in it, because ids come again."""
    return f"{PREFIX}{pid}-{_began(pid)}"


def task_name(number: int, label: str) -> str:
    """The name of a task's group; the number makes it unique."""
    return f"{number}-{_OTHER.sub('_', label)[:LABEL]}"


def remove_leftovers(own: Path) -> int:
    """Removes the groups of processes that have no isolates any more; returns how many. What cannot be removed stays.

    A process with one thread has none: that of a host that handed over and only waits for its successor.
    """
    removed = 0
    deadline = time.monotonic() + ENDING_S
    for folder in _folders(own):
        found = _NAME.fullmatch(folder.name)
        if found is None or _has_isolates(int(found[1]), int(found[2])):
            continue
        for each in (*_folders(folder), folder):
            removed += _removed(each, deadline)
    return removed


def _removed(folder: Path, deadline: float) -> bool:
    """False: something is in it still, as a thread that somebody put there by hand."""
    while True:
        try:
            folder.rmdir()
        except OSError as error:
            if error.errno != errno.EBUSY or time.monotonic() >= deadline:
                return False
        else:
            return True
        time.sleep(ENDING_S / 50)


def _folders(place: Path) -> list[Path]:
    try:
        with os.scandir(place) as entries:
            return [Path(entry.path) for entry in entries if entry.is_dir(follow_symlinks=False)]
    except OSError:
        return []


def _has_isolates(pid: int, began: int) -> bool:
    if _began(pid) != began:
        return False
    try:
        return pid == os.getpid() or len(os.listdir(f"/proc/{pid}/task")) > 1
    except OSError:
        return False


def _began(pid: int) -> int | None:
    """When a process was started, in ticks since the machine was (proc(5), field 22); None: there is none."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    # Its name is in parentheses, and may contain any.
    fields = text.rpartition(")")[2].split()
    return None if fields[0] in "ZX" else int(fields[19])
