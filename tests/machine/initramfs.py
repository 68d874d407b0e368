"""Archives that a kernel unpacks into its first file system: cpio in the form "newc". Pure but for reading files."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

MAGIC = "070701"  # Documentation/driver-api/early-userspace/buffer-format.rst of the kernel
TRAILER = "TRAILER!!!"
ALIGN = 4


@dataclass(frozen=True, slots=True)
class Entry:
    """A file, folder, link or device; of a link `data` is its target."""

    mode: int  # type and rights
    data: bytes = b""
    device: tuple[int, int] = (0, 0)


@dataclass(slots=True)
class Initramfs:
    """Collects entries by their path in the guest; what is added twice is what was added last."""

    entries: dict[PurePosixPath, Entry] = field(default_factory=dict)

    def folder(self, path: str | PurePosixPath) -> None:
        """Adds a folder and those above it."""
        inside = _inside(path)
        for each in (*reversed(inside.parents), inside):
            if each != PurePosixPath("."):
                self.entries.setdefault(each, Entry(stat.S_IFDIR | 0o755))

    def file(self, path: str | PurePosixPath, data: bytes | str, *, mode: int = 0o644) -> None:
        """Adds a file with this content."""
        content = data.encode() if isinstance(data, str) else data
        self._add(path, Entry(stat.S_IFREG | mode, content))

    def link(self, path: str | PurePosixPath, target: str) -> None:
        """Adds a symbolic link."""
        self._add(path, Entry(stat.S_IFLNK | 0o777, target.encode()))

    def device(self, path: str | PurePosixPath, major: int, minor: int) -> None:
        """Adds a character device, for everybody."""
        self._add(path, Entry(stat.S_IFCHR | 0o666, device=(major, minor)))

    def take(self, source: Path, path: str | PurePosixPath | None = None) -> None:
        """Adds a file or link of this machine, at the same path unless told otherwise. Owner is root."""
        told = path or source.as_posix()
        if source.is_symlink():
            self.link(told, os.readlink(source))
        else:
            self.file(told, source.read_bytes(), mode=stat.S_IMODE(source.stat().st_mode))

    def tree(
        self, source: Path, path: str | PurePosixPath | None = None, *, wanted: Callable[[Path], bool] = lambda _: True
    ) -> None:
        """Adds a folder of this machine with all in it for which `wanted`, asked about folders too, says yes."""
        inside = PurePosixPath(path or source.as_posix())
        self.folder(inside)
        for child in sorted(source.iterdir()):
            if not wanted(child):
                continue
            if child.is_dir() and not child.is_symlink():
                self.tree(child, inside / child.name, wanted=wanted)
            else:
                self.take(child, inside / child.name)

    def pieces(self) -> Iterator[bytes]:
        """The archive, folders before what is in them."""
        numbered = enumerate(self.entries.items(), 1)
        for number, (path, entry) in numbered:
            yield from _record(number, str(path), entry)
        yield from _record(0, TRAILER, Entry(0))

    def write(self, target: Path) -> None:
        """Writes the archive, not compressed: the kernel reads it faster so, in emulation above all."""
        with target.open("wb") as file:
            file.writelines(self.pieces())

    def _add(self, path: str | PurePosixPath, entry: Entry) -> None:
        inside = _inside(path)
        self.folder(inside.parent)
        self.entries[inside] = entry


def _inside(path: str | PurePosixPath) -> PurePosixPath:
    """The path as archives have it: from the root, without saying so."""
    pure = PurePosixPath(path)
    if ".." in pure.parts:
        raise ValueError(f"{path} is not a path below the root")
    return pure.relative_to("/") if pure.is_absolute() else pure


def _record(number: int, name: str, entry: Entry) -> Iterator[bytes]:
    raw = name.encode() + b"\0"
    links = 2 if stat.S_ISDIR(entry.mode) else 1
    fields = (number, entry.mode, 0, 0, links, 0, len(entry.data), 0, 0, *entry.device, len(raw), 0)
    head = (MAGIC + "".join(f"{each:08x}" for each in fields)).encode() + raw
    yield head + _padding(len(head))
    if entry.data:
        yield entry.data
        yield _padding(len(entry.data))


def _padding(length: int) -> bytes:
    return bytes(-length % ALIGN)
