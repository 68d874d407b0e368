"""Packing a folder as a bundle: the same files give the same digest, on every machine."""

from __future__ import annotations

import hashlib
import os
import stat
import tempfile
from collections.abc import Collection, Iterable, Iterator, Sequence
from compression import zstd
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self, cast

from supervisor.errors import BundleRefused
from supervisor.state.names import BundleLimits, Names, parts_of, refused
from supervisor.state.tar import END, header, padding

PIECE = 256 * 1024
IN_MEMORY = 2**20  # smaller archives never see a disk
# No program imports from these, and they change with every commit.
LEFT_OUT = frozenset({".git", ".hg", ".svn"})


@dataclass(frozen=True, slots=True)
class BundleFile:
    """A file of a bundle."""

    path: str  # in the bundle
    source: Path  # on this machine
    size: int


@dataclass(frozen=True, slots=True)
class Packed:
    """A bundle as an archive that can be sent. To be closed."""

    digest: str  # SHA-256 of the archive before it was compressed, hex
    file: BinaryIO  # the archive, seekable, at its beginning
    size: int  # bytes of the archive
    unpacked: int  # bytes of its files
    files: int

    def close(self) -> None:
        """Gives the archive up."""
        self.file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def pack(source: Path, *, leave_out: Collection[str] = (), limits: BundleLimits | None = None) -> Packed:
    """Packs a folder, or one file, as a bundle. BundleRefused: it cannot be one. OSError: it cannot be read.

    Links within the folder are packed as what they lead to. What a program could not read is left out: sockets, pipes,
    devices, links that lead nowhere; and folders of version control. `leave_out`: paths in the folder that are not to
    be packed either.
    """
    limits = limits or BundleLimits()
    return pack_files(found_in(source, frozenset(leave_out), limits), str(source), limits)


def pack_files(files: Sequence[BundleFile], name: str, limits: BundleLimits) -> Packed:
    """Packs these files; `name` is for the error's words. BundleRefused, OSError."""
    digest = hashlib.sha256()
    file = cast(BinaryIO, tempfile.SpooledTemporaryFile(max_size=IN_MEMORY))  # noqa: SIM115
    try:
        options: dict[int, int] = {zstd.CompressionParameter.checksum_flag: 1}
        with zstd.open(file, "wb", options=options) as compressed:
            for piece in canonical(files):
                digest.update(piece)
                compressed.write(piece)
        size = file.tell()
        if size > limits.size:
            raise BundleRefused(
                f"the bundle of {name} is {size} bytes, the limit is {limits.size}",
                "leave out what the program does not import, or raise bundleSize",
            )
        file.seek(0)
    except BaseException:
        file.close()
        raise
    return Packed(digest.hexdigest(), file, size, sum(each.size for each in files), len(files))


def digest_of(files: Iterable[BundleFile]) -> str:
    """The digest of a bundle with these files."""
    digest = hashlib.sha256()
    for piece in canonical(files):
        digest.update(piece)
    return digest.hexdigest()


def canonical(files: Iterable[BundleFile]) -> Iterator[bytes]:
    """The bytes of the canonical archive: the files by the order of their paths' bytes. BundleRefused: one changes."""
    for each in sorted(files, key=lambda file: file.path.encode()):
        yield header(each.path, each.size)
        yield from _contents(each)
        yield bytes(padding(each.size))
    yield END


def found_in(
    source: Path, leave_out: frozenset[str], limits: BundleLimits, *, passed_over: frozenset[str] = LEFT_OUT
) -> list[BundleFile]:
    """The files that a bundle of `source` holds; names `passed_over` wherever they are. BundleRefused, OSError."""
    walk = _Walk(source, leave_out, limits, passed_over)
    if source.is_dir():
        walk.folder(source, (), ())
    else:
        walk.file(source, (source.name,))
    if not walk.files:
        raise BundleRefused(f"there is no file in {source}", "a bundle holds the program's modules: name their folder")
    return walk.files


class _Walk:
    """One walk through a folder."""

    def __init__(
        self, source: Path, leave_out: frozenset[str], limits: BundleLimits, passed_over: frozenset[str]
    ) -> None:
        self.files: list[BundleFile] = []
        self._root = os.path.realpath(source)
        self._leave_out = leave_out
        self._passed_over = passed_over
        self._limits = limits
        self._names = Names(limits.entries)
        self._bytes = 0

    def folder(self, folder: Path, parts: tuple[str, ...], above: tuple[tuple[int, int], ...]) -> None:
        """Takes what is in `folder`; `above`: the folders that led here, by device and inode."""
        status = folder.stat()
        here = (status.st_dev, status.st_ino)
        name = "/".join(parts)
        if here in above:
            raise refused(
                name, "is a link to a folder that it is in", "leave it out, or bundle the program (esbuild does)"
            )
        for found in sorted(folder.iterdir()):
            self._take(found, (*parts, found.name), (*above, here))

    def file(self, file: Path, parts: tuple[str, ...]) -> None:
        """Takes a regular file."""
        name = "/".join(parts)
        size = file.stat().st_size
        self._names.add_file(parts_of(name))
        self._bytes += size
        if self._bytes > self._limits.unpacked:
            why = f"makes the bundle larger than {self._limits.unpacked} bytes"
            raise refused(name, why, "leave out what the program does not import, or raise bundleUnpacked")
        self.files.append(BundleFile(name, file, size))

    def _take(self, found: Path, parts: tuple[str, ...], above: tuple[tuple[int, int], ...]) -> None:
        name = "/".join(parts)
        if found.name in self._passed_over or name in self._leave_out or not found.exists():
            return
        if found.is_symlink():
            real = os.path.realpath(found)
            if os.path.commonpath([self._root, real]) != self._root:
                raise refused(name, f"is a link that leads out, to {real}", "copy what it leads to into the folder")
        mode = found.stat().st_mode
        if stat.S_ISDIR(mode):
            self._names.add_folder(parts_of(name))  # links within make few folders many
            self.folder(found, parts, above)
        elif stat.S_ISREG(mode):
            self.file(found, parts)


def _contents(file: BundleFile) -> Iterator[bytes]:
    left = file.size
    with open(file.source, "rb") as stream:
        while piece := stream.read(min(PIECE, left) or 1):
            left -= len(piece)
            if left < 0:
                break
            yield piece
    if left:
        raise refused(file.path, "changed while it was packed", "try again when nobody writes there")
