"""Unpacking an archive that a stranger made: only regular files, only inside, only so much."""

from __future__ import annotations

import os
from pathlib import Path
from typing import BinaryIO

from supervisor.errors import BundleRefused
from supervisor.state.archive import BundleFile
from supervisor.state.compressed import Compressed
from supervisor.state.names import BundleLimits, Names, parts_of, refused
from supervisor.state.tar import Entry, entries, padding

# Of an entry, beside its own header: a long name or an extended header, or both. And each folder may stand there.
HEADERS = 4


def unpack(archive: BinaryIO, folder: Path, limits: BundleLimits) -> list[BundleFile]:
    """Writes the files of `archive` into `folder`, an empty one of our own; returns them, in the archive's order.

    BundleRefused: the archive is not fit; `folder` is to be thrown away then. OSError: the disk refuses.
    No links are ever made, so a path whose parts are names stays inside. Rights and owners in the archive are nothing
    to us: files are for their owner to read.
    """
    return _Unpacking(Compressed(archive), folder, limits).run()


class _Unpacking:
    def __init__(self, source: Compressed, folder: Path, limits: BundleLimits) -> None:
        self._source = source
        self._folder = folder
        self._limits = limits
        self._names = Names(limits.entries)
        self._left = limits.unpacked
        self._files: list[BundleFile] = []

    def run(self) -> list[BundleFile]:
        for entry in entries(self._source.read, HEADERS * self._limits.entries):
            parts = parts_of(entry.name)
            if entry.is_folder:
                self._names.add_folder(parts)
            else:
                self._write(entry, parts)
        self._source.finish()
        if not self._files:
            raise BundleRefused("the bundle's archive holds no file", "pack the folder that the program is in")
        return self._files

    def _write(self, entry: Entry, parts: tuple[str, ...]) -> None:
        if not parts:
            raise refused(entry.name, "is a file without a name", "pack it by its name")
        self._names.add_file(parts)
        self._left -= entry.size
        if self._left < 0:
            why = f"makes the bundle larger than {self._limits.unpacked} bytes"
            raise refused(entry.name, why, "leave out what the program does not import, or raise bundleUnpacked")
        target = self._folder.joinpath(*parts)
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        fd = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o400)
        with open(fd, "wb", buffering=0) as file:
            for piece in self._source.pieces(entry.size):
                _write_all(file.fileno(), piece)
        self._source.read(padding(entry.size))
        self._files.append(BundleFile("/".join(parts), target, entry.size))


def _write_all(fd: int, piece: memoryview) -> None:
    while piece:
        piece = piece[os.write(fd, piece) :]
