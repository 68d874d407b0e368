"""A machine's own apkovl: what all have in common, from the image, and what is this machine's. Pure.

The same inputs give the same bytes.
"""

from __future__ import annotations

import gzip
import io
import tarfile
from collections.abc import Mapping
from pathlib import PurePosixPath

CA = "etc/isolated/boot-ca.pem"


def machine_files(name: str, ca: bytes | None) -> dict[str, bytes]:
    """What only this machine has: its name, and whom to trust when it fetches the key."""
    files = {"etc/hostname": f"{name}\n".encode(), "etc/hosts": _hosts(name)}
    return files if ca is None else files | {CA: ca}


def merged(base: bytes | None, files: Mapping[str, bytes]) -> bytes:
    """The archive: `base` without the entries that `files` has too, then `files`. tarfile.TarError: no archive."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        seen = set(files)
        for member, content in _members(base):
            if member.name not in files:
                archive.addfile(member, content)
                seen.add(member.name)
        for name, data in sorted(files.items()):
            for folder in reversed(PurePosixPath(name).parents):
                if str(folder) not in (".", *seen):
                    archive.addfile(_entry(str(folder), tarfile.DIRTYPE, 0o755))
                    seen.add(str(folder))
            entry = _entry(name, tarfile.REGTYPE, 0o644)
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
    return gzip.compress(out.getvalue(), 6, mtime=0)


def _members(base: bytes | None) -> list[tuple[tarfile.TarInfo, io.BytesIO | None]]:
    if base is None:
        return []
    found = []
    with tarfile.open(fileobj=io.BytesIO(base), mode="r:gz") as archive:
        for member in archive:
            file = archive.extractfile(member) if member.isreg() else None
            member.name = member.name.removeprefix("./").rstrip("/") or "."
            found.append((member, None if file is None else io.BytesIO(file.read())))
    return found


def _entry(name: str, kind: bytes, mode: int) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.type, entry.mode = kind, mode
    return entry


def _hosts(name: str) -> bytes:
    return f"127.0.0.1 localhost {name}\n::1 localhost\n".encode()
