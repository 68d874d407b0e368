"""Files that hold secrets: nobody else may read them, and they are there whole or not at all."""

from __future__ import annotations

import contextlib
import fcntl
import os
from pathlib import Path


def make_folder(folder: Path) -> None:
    """Makes it, for nobody else to look into. OSError."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)


def write_secret(file: Path, content: str | bytes) -> None:
    """Replaces a file; mode 0600. It is there, old or new, whenever the power fails. OSError."""
    data = content.encode() if isinstance(content, str) else content
    new = file.with_name(file.name + ".new")
    with contextlib.suppress(FileNotFoundError):
        new.unlink()  # of a process that ended in the middle
    with open(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600), "wb") as stream:
        stream.write(data)
        stream.flush()
        os.fsync(stream.fileno())
    new.replace(file)
    _sync(file.parent)


def _sync(folder: Path) -> None:
    """Makes sure that what its files are called is on the disk."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def try_lock(file: Path) -> int | None:
    """A descriptor that holds the lock until its last copy is closed; None: somebody else holds it. OSError."""
    handle = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(handle)
        return None
    return handle
