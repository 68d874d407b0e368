"""The image versions on disk: a folder each, with their checksums. A file that does not match its own is refused."""

from __future__ import annotations

import hashlib
import os
import stat
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path

from supervisor.boot.manifest import MANIFEST, format_manifest, parse_manifest
from supervisor.boot.promotion import Promotion, parse_version, read_promotion, write_promotion
from supervisor.errors import IsolatedError
from supervisor.spec.refused import Refused

PROMOTED = "promoted.json"
NEEDED = ("vmlinuz", "initramfs")
COMMAND_LINE = "cmdline"  # words for the kernel; {image} and {machine} stand for URLs
APKOVL = "isolated.apkovl.tar.gz"  # what all machines have in common; what differs is added to it


class ImageRefused(IsolatedError):
    """An image version, or a file of it, cannot be served."""


class NoSuchFile(IsolatedError):
    """The image has no file of this name."""


@dataclass(frozen=True, slots=True)
class Checked:
    """A file's state when its checksum was taken. `changed_ns`: by the inode's clock, which nobody can set back."""

    inode: int
    size: int
    changed_ns: int
    digest: str


class Shelf:
    """Versions below one folder. Any thread; the same file is read once, until it changes."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._checked: dict[Path, Checked] = {}
        self._lock = threading.Lock()

    def versions(self) -> list[str]:
        """All versions that have been sealed, in the order of their names."""
        if not self.folder.is_dir():
            return []
        return sorted(each.name for each in self.folder.iterdir() if (each / MANIFEST).is_file())

    def checksums(self, version: str) -> dict[str, str]:
        """The checksums of a version, by name. ImageRefused."""
        try:
            text = (self.folder / parse_version(version) / MANIFEST).read_text()
            return parse_manifest(text)
        except FileNotFoundError:
            remedy = f"put it there and seal it: isolated boot-server seal {version}"
            raise ImageRefused(f"there is no image {version} in {self.folder}", remedy) from None
        except OSError as error:
            raise ImageRefused(f"image {version}: {MANIFEST} cannot be read: {error.strerror}") from None
        except UnicodeDecodeError:
            raise ImageRefused(f"image {version}: {MANIFEST} is not text") from None
        except Refused as refused:
            raise ImageRefused(f"image {version}: {MANIFEST}: {refused.message}", refused.remedy) from None

    def open(self, version: str, name: str) -> BufferedReader:
        """A file of a version, open, with the content that was sealed. ImageRefused if it has another; NoSuchFile.

        Reads the file if it has not since it changed: 40 MB take a tenth of a second.
        """
        digest = self.checksums(version).get(name)
        if digest is None:
            raise NoSuchFile(f"image {version} has no file {name}")
        path = self.folder / version / name
        if not path.resolve().is_relative_to((self.folder / version).resolve()):
            raise ImageRefused(f"image {version}: {name} leads out of the image", "put the file itself there")
        try:
            file = os.fdopen(os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK), "rb")
        except OSError as error:
            remedy = f"put it back, or seal the image again: isolated boot-server seal {version}"
            raise ImageRefused(f"image {version}: {name} cannot be read: {error.strerror}", remedy) from None
        try:
            self._check(version, name, path, file, digest)
        except BaseException:
            file.close()
            raise
        return file

    def text(self, version: str, name: str) -> str:
        """A small text of a version, '' if it has none of that name. ImageRefused."""
        try:
            with self.open(version, name) as file:
                return file.read(2**16).decode("ascii", "replace").strip()
        except NoSuchFile:
            return ""

    def check_bootable(self, version: str) -> None:
        """Reads what every machine needs of a version. ImageRefused if it is missing, or not what was sealed."""
        missing = [name for name in NEEDED if name not in self.checksums(version)]
        if missing:
            remedy = f"put it there and seal the image again: isolated boot-server seal {version}"
            raise ImageRefused(f"image {version} has no {missing[0]}", remedy)
        for name in NEEDED:
            self.open(version, name).close()

    def _check(self, version: str, name: str, path: Path, file: BufferedReader, wanted: str) -> None:
        status = os.fstat(file.fileno())
        if not stat.S_ISREG(status.st_mode):
            raise ImageRefused(f"image {version}: {name} is not a file", "put a file there")
        state = (status.st_ino, status.st_size, status.st_ctime_ns)
        with self._lock:
            known = self._checked.get(path)
        if known is None or (known.inode, known.size, known.changed_ns) != state:
            known = Checked(*state, hashlib.file_digest(file, "sha256").hexdigest())
            file.seek(0)
            with self._lock:
                self._checked[path] = known
        if known.digest != wanted:
            remedy = f"copy it again; if it is meant to be so: isolated boot-server seal {version}"
            raise ImageRefused(f"image {version}: {name} is not the file that was sealed: its checksum differs", remedy)

    def promotion(self) -> Promotion:
        """What is promoted; nothing if nothing ever was. ImageRefused if the file is not one of ours."""
        try:
            return read_promotion((self.folder / PROMOTED).read_text())
        except FileNotFoundError:
            return Promotion()
        except OSError as error:
            raise ImageRefused(f"{self.folder / PROMOTED} cannot be read: {error.strerror}") from None
        except Refused as refused:
            raise ImageRefused(f"{self.folder / PROMOTED}: {refused.message}", refused.remedy) from None

    def promote(self, version: str, share: float | None) -> Promotion:
        """Promotes a version, for all or for a share of the machines. ImageRefused, Refused."""
        self.check_bootable(version)
        promotion = self.promotion().promote(version, share)
        _replace(self.folder / PROMOTED, write_promotion(promotion))
        return promotion


def seal(folder: Path) -> dict[str, str]:
    """Writes the checksums of all files in the folder of a version; returns them. ImageRefused."""
    parse_version(folder.name)
    try:
        checksums = {name: _digest(folder / name) for name in sorted(_names(folder))}
        missing = [name for name in NEEDED if name not in checksums]
        if missing:
            remedy = f"put it there: {folder} needs {' and '.join(NEEDED)}"
            raise ImageRefused(f"image {folder.name} has no {missing[0]}", remedy)
        _replace(folder / MANIFEST, format_manifest(checksums))
    except OSError as error:
        raise ImageRefused(f"{error.filename or folder}: {error.strerror}", "check the folder") from None
    return checksums


def _names(folder: Path) -> Iterator[str]:
    for parent, _, files in os.walk(folder, onerror=_raise):
        for file in files:
            name = (Path(parent) / file).relative_to(folder).as_posix()
            if name != MANIFEST and not file.endswith(".new"):
                yield name


def _raise(error: OSError) -> None:
    raise error


def _digest(path: Path) -> str:
    if not path.is_file() or path.is_symlink():
        raise ImageRefused(f"{path} is not a file", "an image has files alone: copy what the link means")
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _replace(path: Path, text: str) -> None:
    """Writes a file so that nobody ever reads half of it."""
    new = path.with_name(path.name + ".new")
    with new.open("w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    new.rename(path)
