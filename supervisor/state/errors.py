"""What the disk may refuse, in words with a remedy: the state's own error and where it comes from."""

from __future__ import annotations

import errno
import os
import sqlite3
from pathlib import Path
from typing import ClassVar

from supervisor.errors import ControlError
from supervisor.printable import printable

_SPACE = "free some space on that disk; nothing was changed"
_RIGHTS = "let the user that the host runs as write to the folder and to the files in it"
_CORRUPT = (
    "restore the file from a backup, or move it away with its -wal and -shm: the host then starts without tasks,"
    " and each has to be applied again"
)
_OS_REMEDIES = {
    errno.ENOSPC: _SPACE,
    errno.EDQUOT: _SPACE,
    errno.EACCES: _RIGHTS,
    errno.EPERM: _RIGHTS,
    errno.EROFS: "mount that disk writable, or set stateDir to a folder on one that is",
    errno.ENOTDIR: "set stateDir to a folder",
    errno.EEXIST: "set stateDir to a folder",
    errno.EMFILE: "raise the limit of open files (LimitNOFILE, `ulimit -n`)",
}
# By SQLite's primary result code: what to say, and what to do.
_DATABASE_WORDS = {
    sqlite3.SQLITE_CORRUPT: ("the file is damaged", _CORRUPT),
    sqlite3.SQLITE_NOTADB: ("the file is damaged, or not a database at all", _CORRUPT),
    sqlite3.SQLITE_FULL: ("the disk is full", _SPACE),
    sqlite3.SQLITE_READONLY: ("the file cannot be written", _RIGHTS),
    sqlite3.SQLITE_CANTOPEN: ("the file cannot be opened", _RIGHTS),
    sqlite3.SQLITE_PERM: ("the file cannot be opened", _RIGHTS),
    sqlite3.SQLITE_BUSY: ("another program keeps it locked", "`fuser` on the file shows which; end it"),
    sqlite3.SQLITE_LOCKED: ("another program keeps it locked", "`fuser` on the file shows which; end it"),
    sqlite3.SQLITE_IOERR: ("the disk reports an error", "see the kernel's log (`dmesg`), and check the disk's space"),
    sqlite3.SQLITE_PROTOCOL: ("the file system cannot lock files", "set stateDir to a folder on a local disk"),
}


class StoreError(ControlError):
    """The host's state cannot be read or written; says which file, why, and what to do."""

    exit_code: ClassVar[int] = 1
    status: ClassVar[int] = 500
    kind: ClassVar[str] = "store"

    def __init__(self, file: Path, why: str, remedy: str) -> None:
        super().__init__(f"the host's state in {printable(str(file))}: {why}", remedy)
        self.file = file


class StoreFull(StoreError):
    """There is no room on the disk; nothing was changed."""

    status = 507
    kind = "disk-full"


class StoreBusy(StoreError):
    """Another program holds the file; asking again in a moment may help."""

    status = 503
    kind = "store-busy"


class StoreCorrupt(StoreError):
    """The file is not what was written there; asking again does not help."""

    kind = "store-corrupt"


def corrupt(file: Path, why: str) -> StoreCorrupt:
    """The error for a file whose contents cannot be what was written there."""
    return StoreCorrupt(file, f"the file is damaged: {printable(why)}", _CORRUPT)


def from_os(file: Path, error: OSError) -> StoreError:
    """Words for what the system said about `file`."""
    number = error.errno or 0
    named = Path(os.fsdecode(error.filename)) if isinstance(error.filename, (str, bytes)) else file
    remedy = _OS_REMEDIES.get(number, "check the folder and the disk that it is on")
    kind = StoreFull if number in (errno.ENOSPC, errno.EDQUOT) else StoreError
    return kind(named, os.strerror(number) if number else str(error), remedy)


def from_sqlite(file: Path, error: sqlite3.Error) -> StoreError:
    """Words for what SQLite said about `file`."""
    # Python's own errors (a value of no known kind) have no code: those are defects, and read as such.
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF  # the rest of an extended code is detail
    why, remedy = _DATABASE_WORDS.get(code, ("the database refuses", "this is a defect of isolated: please report it"))
    return _DATABASE_KINDS.get(code, StoreError)(file, f"{why} ({printable(str(error))})", remedy)


_DATABASE_KINDS: dict[int, type[StoreError]] = {
    sqlite3.SQLITE_CORRUPT: StoreCorrupt,
    sqlite3.SQLITE_NOTADB: StoreCorrupt,
    sqlite3.SQLITE_FULL: StoreFull,
    sqlite3.SQLITE_BUSY: StoreBusy,
    sqlite3.SQLITE_LOCKED: StoreBusy,
}
