"""One bootstrap at a time per checkout."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .progress import Progress


@contextmanager
def held(path: Path, progress: Progress) -> Iterator[None]:
    """Holds the lock at `path`; waits, and says so, while another process has it. It goes with the process."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            progress.say("waiting for another bootstrap of this checkout to end")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield
