"""The files of tasks that came as bundles: one folder each, named by the digest of what is in it."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import re
import shutil
import sys
import tempfile
import time
from collections.abc import Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from supervisor.errors import BundleRefused, Unknown
from supervisor.printable import shown
from supervisor.state.archive import BundleFile, Packed, digest_of, found_in, pack_files
from supervisor.state.errors import from_os
from supervisor.state.names import BundleLimits
from supervisor.state.unpack import unpack

# A bundle that nobody uses yet: the time between its upload, or the question for it, and the apply that names it.
GRACE_S = 600.0
# Files that are waited for at once: the disk commits them together. 2,000 files on ext4: 1.6 s one by one, 0.12 s so.
SYNCS = 16
_DIGEST = re.compile(r"[0-9a-f]{64}", re.ASCII)
_UNLIMITED = BundleLimits(size=sys.maxsize, unpacked=sys.maxsize, entries=sys.maxsize)
_COMING = ".coming-"
_GOING = ".going-"


class Bundles:
    """The store of bundles in a folder. Any thread, several at once, and several processes (a hand-over).

    `add` and `sweep` wait for the disk: not for the loop. `has` and `path` are one look at a folder.
    """

    def __init__(self, folder: Path, limits: BundleLimits | None = None) -> None:
        self._folder = folder
        self._limits = limits or BundleLimits()
        try:
            os.makedirs(folder, mode=0o700, exist_ok=True)
        except OSError as error:
            raise from_os(folder, error) from error

    def add(self, archive: Path) -> str:
        """Checks and stores an archive; returns its digest, of which the same files always have the same one.

        It is there whole, and for good, or not at all. BundleRefused: the archive. StoreError: the disk.
        """
        try:
            with self._lock(fcntl.LOCK_SH):
                return self._add(archive)
        except OSError as error:
            raise from_os(self._folder, error) from error

    def has(self, digest: str) -> bool:
        """Whether it is stored; it then stays for ten minutes at least. A bundle is told of once it is whole."""
        if not _DIGEST.fullmatch(digest):
            return False
        try:
            # While a sweep runs, nobody can tell what it leaves: adding it once more is always right.
            with self._lock(fcntl.LOCK_SH | fcntl.LOCK_NB):
                os.utime(self._folder / digest)
        except OSError:
            return False
        return True

    def path(self, digest: str) -> Path:
        """The folder of its files, absolute. Unknown."""
        folder = (self._folder / digest).absolute()
        if not _DIGEST.fullmatch(digest) or not folder.is_dir():
            raise Unknown(f"there is no bundle {shown(digest)} on this host", "upload it first: `isolated apply` does")
        return folder

    def pack(self, digest: str) -> Packed:
        """Its archive, for another host; the digest of what is in it is `digest` again. Unknown. StoreError.

        Waits for the disk, and compresses. No limits: what is stored has kept to those of its time.
        """
        if not self.has(digest):
            raise Unknown(f"there is no bundle {shown(digest)} on this host", "ask another host")
        folder = self.path(digest)
        try:
            files = found_in(folder, frozenset(), _UNLIMITED, passed_over=frozenset())
            return pack_files(files, digest, _UNLIMITED)
        except OSError as error:
            raise from_os(folder, error) from error

    def sweep(self, keep: Collection[str], *, grace_s: float = GRACE_S) -> list[str]:
        """Removes bundles that are not in `keep`, and what a crash left; returns the digests removed.

        Bundles that came or were asked for within `grace_s` stay. While something is being added, nothing is done:
        the next sweep will. StoreError.
        """
        try:
            with self._lock(fcntl.LOCK_EX | fcntl.LOCK_NB):
                return self._sweep(frozenset(keep), time.time() - grace_s)
        except BlockingIOError:
            return []
        except OSError as error:
            raise from_os(self._folder, error) from error

    def _add(self, archive: Path) -> str:
        size = archive.stat().st_size
        if size > self._limits.size:
            why = f"the bundle's archive is {size} bytes, the limit is {self._limits.size}"
            raise BundleRefused(why, "leave out what the program does not import, or raise bundleSize")
        coming = Path(tempfile.mkdtemp(prefix=_COMING, dir=self._folder))
        try:
            with open(archive, "rb") as stream:
                files = unpack(stream, coming, self._limits)
            digest = digest_of(files)
            self._publish(coming, files, digest)
        except BaseException:
            shutil.rmtree(coming, ignore_errors=True)
            raise
        return digest

    def _publish(self, coming: Path, files: list[BundleFile], digest: str) -> None:
        target = self._folder / digest
        if target.is_dir():
            os.utime(target)
            shutil.rmtree(coming)
            return
        _sync_all(coming, files)
        try:
            os.rename(coming, target)
        except OSError as error:
            if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
                raise
            shutil.rmtree(coming)  # another thread was quicker with the same
        _sync(self._folder)

    def _sweep(self, keep: frozenset[str], before: float) -> list[str]:
        removed = []
        for name in sorted(os.listdir(self._folder)):
            path = self._folder / name
            if name.startswith((_COMING, _GOING)):
                shutil.rmtree(path, ignore_errors=True)
            elif _DIGEST.fullmatch(name) and name not in keep and path.stat().st_mtime <= before:
                # Under another name first: a bundle that has lost half its files is never found as one.
                going = tempfile.mkdtemp(prefix=_GOING, dir=self._folder)
                os.rename(path, going)
                shutil.rmtree(going, ignore_errors=True)
                removed.append(name)
        return removed

    @contextlib.contextmanager
    def _lock(self, how: int) -> Iterator[None]:
        """Adding shares the folder, sweeping has it alone; the lock ends with its process, however that ends."""
        fd = os.open(self._folder / ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            fcntl.flock(fd, how)
            yield
        finally:
            os.close(fd)


def _sync_all(folder: Path, files: list[BundleFile]) -> None:
    """Makes sure that a bundle is on the disk before it gets its name."""
    paths = [file.source for file in files] + [Path(each) for each, _, _ in os.walk(folder)]
    with ThreadPoolExecutor(min(SYNCS, len(paths))) as threads:
        for _ in threads.map(_sync, paths):
            pass  # raises what it raised


def _sync(path: Path) -> None:
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
