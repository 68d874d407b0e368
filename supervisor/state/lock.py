"""The lock of a state folder: one host per folder, and its successor in a hand-over."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from supervisor.state.errors import StoreError, from_os

NAME = "lock"


class StateLock:
    """Held until every process that has a copy of its descriptor has closed it, or ended in whatever way.

    It belongs to the open file, not to the process: a successor that is given `fd` holds the same lock. So it is
    never unlocked, only closed, and the file is never removed.
    """

    def __init__(self, file: Path, fd: int) -> None:
        """Locks an open file, which it closes in the end. StoreError: a host runs there already."""
        self._fd = fd
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            owner = self._owner()
            self.close()
            remedy = "stop that one first, or give this one a stateDir of its own"
            raise StoreError(file, f"another host uses this folder{owner}", remedy) from None
        except OSError as error:
            self.close()
            raise from_os(file, error) from error
        self._sign()

    @classmethod
    def take(cls, folder: Path) -> StateLock:
        """Locks `folder`. StoreError: a host runs there already, or the file cannot be made."""
        file = folder / NAME
        try:
            fd = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        except OSError as error:
            raise from_os(file, error) from error
        return cls(file, fd)

    @classmethod
    def inherit(cls, folder: Path, fd: int) -> StateLock:
        """The lock that a predecessor holds, by a copy of its descriptor, which is closed here in the end.

        StoreError: the descriptor is not of that folder's lock; then it stays open.
        """
        file = folder / NAME
        try:
            same = os.path.samestat(os.fstat(fd), os.stat(file))
        except OSError as error:
            raise from_os(file, error) from error
        if not same:
            remedy = "both processes have to have the same stateDir, and nobody may replace the file"
            raise StoreError(file, "the lock that was handed over is not this folder's", remedy)
        os.set_inheritable(fd, False)  # noqa: FBT003 the standard library's own
        return cls(file, fd)

    @property
    def fd(self) -> int:
        """What a successor is to be given."""
        return self._fd

    def close(self) -> None:
        """Lets go of it, as far as this process is concerned. May be called twice."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def _sign(self) -> None:
        """Leaves the process's id for whoever finds the lock taken; the lock holds without it."""
        try:
            os.pwrite(self._fd, f"{os.getpid():<20}\n".encode(), 0)
        except OSError:
            pass  # the disk is full

    def _owner(self) -> str:
        try:
            pid = os.pread(self._fd, 20, 0).decode().strip()
        except OSError, UnicodeDecodeError:
            return ""
        # A successor that failed has signed too.
        return f" (process {pid})" if pid.isdecimal() and os.path.exists(f"/proc/{pid}") else ""
