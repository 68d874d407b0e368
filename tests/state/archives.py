"""Archives for the tests, as a stranger may make them."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterable
from compression import zstd
from pathlib import Path

type Member = tuple[tarfile.TarInfo, bytes]


def member(name: str, data: bytes = b"x", kind: bytes = tarfile.REGTYPE, **fields: object) -> Member:
    """An entry with whatever a header can say."""
    info = tarfile.TarInfo(name)
    info.type = kind
    info.size = len(data)
    for field, value in fields.items():
        setattr(info, field, value)
    return info, data


def tar(members: Iterable[Member], form: int = tarfile.PAX_FORMAT) -> bytes:
    """A tar as Python's library writes it."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=form, encoding="utf-8", errors="surrogateescape") as archive:
        for info, data in members:
            archive.addfile(info, io.BytesIO(data))
    return buffer.getvalue()


def saved(folder: Path, data: bytes, *, compress: bool = True) -> Path:
    """A file with that archive."""
    file = folder / "archive"
    file.write_bytes(zstd.compress(data) if compress else data)
    return file


def tree(folder: Path, files: dict[str, str]) -> Path:
    """A folder with these files."""
    for name, text in files.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return folder


def contents(folder: Path) -> dict[str, bytes]:
    """What is in the files of a folder, by path."""
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}
