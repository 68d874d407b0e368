"""Which files a bundle may hold: names that mean the same on every host and lead nowhere else. Pure."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass

from supervisor.errors import BundleRefused
from supervisor.printable import printable

PART_BYTES = 255  # what Linux file systems take
PATH_BYTES = 1024  # a quarter of PATH_MAX: the rest is for where the bundles are
DEPTH = 64  # far more than packages within packages have; bounds the work for a path
NAME_SHOWN = 200  # characters of a name in a message


@dataclass(frozen=True, slots=True)
class BundleLimits:
    """How much a bundle may be."""

    size: int = 64 * 2**20  # bytes of the archive as it is sent
    unpacked: int = 256 * 2**20  # bytes of its files
    entries: int = 10_000  # files, and folders that they are in


def refused(name: str, why: str, remedy: str) -> BundleRefused:
    """The error that names the entry."""
    name = name if len(name) <= NAME_SHOWN else f"{name[: NAME_SHOWN - 1]}…"
    return BundleRefused(f"the bundle's entry '{printable(name)}' {why}", remedy)


def parts_of(name: str) -> tuple[str, ...]:
    """The folders and the file that an entry's name means; () is the root. BundleRefused: not in a bundle."""
    if printable(name) != name:  # also what was not UTF-8, which tarfile gives as halves of surrogate pairs
        raise refused(name, "has a name that is not UTF-8, or with characters that do not show", "rename it")
    if name.startswith("/"):
        raise refused(name, "has an absolute path", "pack it by a path within the folder")
    parts = tuple(part for part in name.split("/") if part not in ("", "."))
    if ".." in parts:
        raise refused(name, "leads out of the bundle ('..')", "pack it by a path within the folder")
    if len("/".join(parts).encode()) > PATH_BYTES or any(len(part.encode()) > PART_BYTES for part in parts):
        raise refused(name, f"has a name above {PART_BYTES} or a path above {PATH_BYTES} bytes", "shorten it")
    if len(parts) > DEPTH:
        raise refused(name, f"lies more than {DEPTH} folders deep", "pack what is in the inner folders")
    return parts


class Names:
    """The entries seen so far: each once, by any spelling, and no more than allowed."""

    def __init__(self, entries: int) -> None:
        self._entries = entries
        # By the name as a file system without regard for case or composition would know it.
        self._seen: dict[str, tuple[str, bool]] = {}

    def add_folder(self, parts: tuple[str, ...]) -> None:
        """Notes a folder and those above it; again is fine. BundleRefused: a file has that name."""
        for end in range(1, len(parts) + 1):
            path = "/".join(parts[:end])
            spelled, is_file = self._seen.setdefault(_key(path), (path, False))
            if is_file:
                raise refused(path, "is a file and a folder", "leave one of the two out")
            _check_spelling(path, spelled)
        self._count("/".join(parts))

    def add_file(self, parts: tuple[str, ...]) -> None:
        """Notes a file and the folders above it. BundleRefused: there is one of that name already."""
        self.add_folder(parts[:-1])
        path = "/".join(parts)
        spelled, is_file = self._seen.setdefault(_key(path), ("", True))
        if spelled:
            _check_spelling(path, spelled)
            why = "stands there twice" if is_file else "is a file and a folder"
            raise refused(path, why, "leave one of the two out")
        self._seen[_key(path)] = (path, True)
        self._count(path)

    def _count(self, path: str) -> None:
        if len(self._seen) > self._entries:
            why = f"is one too many: a bundle may hold {self._entries} files and folders"
            raise refused(path, why, "bundle the program into fewer files (esbuild does), or raise bundleEntries")


def _check_spelling(path: str, spelled: str) -> None:
    if path != spelled:
        why = f"differs from '{printable(spelled)}' in case or composition of letters only"
        raise refused(path, why, "rename one: not every file system can keep them apart")


def _key(path: str) -> str:
    return unicodedata.normalize("NFC", path.casefold())
