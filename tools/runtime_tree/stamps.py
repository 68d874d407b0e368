"""Tells whether a step's inputs are those it was last done for: a hash of the contents, kept in a small file."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable
from pathlib import Path


def digest(*parts: str) -> str:
    """A short hash of texts; their borders count."""
    total = hashlib.sha256()
    for part in parts:
        data = part.encode()
        total.update(len(data).to_bytes(8, "little") + data)
    return total.hexdigest()[:16]  # 64 bits: not against an adversary, who could edit the stamp itself


def files_digest(root: Path, paths: Iterable[Path]) -> str:
    """A hash of names below `root` and contents. A file that is missing counts as such."""
    total = hashlib.sha256()
    for path in sorted(paths):
        content = path.read_bytes() if path.is_file() else b"\0missing"
        total.update(f"{path.relative_to(root)}\0{len(content)}\0".encode() + content)
    return total.hexdigest()[:16]


def files_below(folder: Path, *suffixes: str) -> list[Path]:
    """All files below a folder, those with one of the suffixes if any are given; none if there is no folder."""
    found = [Path(where) / name for where, _, names in os.walk(folder) for name in names]
    return [path for path in found if not suffixes or path.suffix in suffixes]


class Stamps:
    """The notes of which step was done for which inputs."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def get(self, step: str) -> str:
        """The hash that the step was last done for; empty if it never was."""
        try:
            return (self._folder / step).read_text()
        except FileNotFoundError:
            return ""

    def put(self, step: str, key: str) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        write_atomically(self._folder / step, key)

    def clear(self, step: str) -> None:
        (self._folder / step).unlink(missing_ok=True)


def write_atomically(path: Path, text: str) -> None:
    """Replaces a file in one go: a reader sees the old or the new content, also after a power cut in between."""
    beside = path.with_name(f"{path.name}.new")
    beside.write_text(text)
    beside.replace(path)


def link_atomically(link: Path, target: Path) -> None:
    """Points a symbolic link at `target` (kept relative to the link's folder) in one go."""
    beside = link.with_name(f"{link.name}.new")
    beside.unlink(missing_ok=True)
    beside.symlink_to(os.path.relpath(target, link.parent))
    if link.is_dir() and not link.is_symlink():
        link.rename(link.with_name(f"{link.name}.replaced"))
    beside.replace(link)
