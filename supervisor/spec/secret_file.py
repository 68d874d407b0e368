"""Files that hold a secret: read only if nobody but their owner can."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from supervisor.errors import Problem, SettingsError
from supervisor.printable import shown
from supervisor.spec.problems import safe


def read_secret(file: Path, *, field: str, limit: int, remedy: str, allowed: str | None = None) -> bytes:
    """The first `limit` bytes of `file`, the setting `field`; SettingsError if it is no file, or others may read it."""
    try:
        # not to wait for a writer if it is a FIFO
        with open(os.open(file, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK), "rb") as stream:
            status = os.fstat(stream.fileno())
            if not stat.S_ISREG(status.st_mode):
                raise wrong_file(field, file, "this is not a file", remedy, allowed)
            if status.st_mode & 0o077:
                mode = f"{stat.S_IMODE(status.st_mode):04o}"
                raise wrong_file(field, file, f"others may read it (mode {mode})", f"chmod 600 {file}", allowed)
            return stream.read(limit)
    except OSError as error:
        raise wrong_file(field, file, f"it cannot be read: {error.strerror}", remedy, allowed) from None


def wrong_file(field: str, file: Path, message: str, remedy: str, allowed: str | None = None) -> SettingsError:
    """The error about the file that the setting `field` names."""
    return SettingsError([safe(Problem(message, remedy, allowed=allowed, field=field, value=shown(str(file))))])
