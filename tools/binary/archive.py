"""From a folder to the payload: a tar archive whose bytes follow from the files alone, in a zstd frame.

Runs on the runtime tree's Python, which has zstd: `python -m tools.binary.archive FOLDER LAUNCHER BINARY LEVEL`.
The launcher's sources (native/launcher/payload.h, unpack.c) say what it expects.
"""

from __future__ import annotations

import hashlib
import io
import struct
import sys
import tarfile
from compression import zstd
from pathlib import Path

from tools.binary import calls

FILES = "FILES"  # the last member: by it the launcher sees whether a folder is whole
BLOCK = 4096  # of the file systems that it will lie on
MAGIC = b"ISOLATD1"
ID_LENGTH = 32
TRAILER = struct.Struct("<8sQQQ32s")
MTIME = 946_684_800  # 2000-01-01: some programs take 1970 for "not known"


def pack(folder: Path) -> bytes:
    """The archive of all that is in `folder`: folders and plain files, in the order of their names."""
    space = io.BytesIO()
    with tarfile.open(fileobj=space, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        paths = sorted(folder.rglob("*"), key=lambda path: path.relative_to(folder).parts)
        for path in paths:
            _add(archive, path, str(path.relative_to(folder)))
        listed = "".join(f"{path.stat().st_size} {path.relative_to(folder)}\n" for path in paths if path.is_file())
        _add_bytes(archive, FILES, f"{listed}end\n".encode())
    return space.getvalue()


def _add(archive: tarfile.TarFile, path: Path, name: str) -> None:
    if path.is_symlink() or not (path.is_dir() or path.is_file()):
        raise ValueError(f"{name}: only folders and plain files can be packed")
    if path.is_dir():
        entry = _entry(name, 0o755)
        entry.type = tarfile.DIRTYPE
        archive.addfile(entry)
    else:
        _add_file(archive, path, name)


def _add_file(archive: tarfile.TarFile, path: Path, name: str) -> None:
    content, mode = path.read_bytes(), 0o755 if path.stat().st_mode & 0o100 else 0o644
    if calls.is_program(content):
        _add_bytes(archive, name, calls.placed(content), mode, calls.MARK)
    else:
        _add_bytes(archive, name, content, mode)


def _add_bytes(archive: tarfile.TarFile, name: str, content: bytes, mode: int = 0o644, mark: str = "") -> None:
    entry = _entry(name, mode)
    entry.size, entry.uname = len(content), mark
    archive.addfile(entry, io.BytesIO(content))


def _entry(name: str, mode: int) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.mode, entry.mtime = mode, MTIME
    return entry


def compress(content: bytes, level: int) -> bytes:
    """A zstd frame with a checksum. Two threads make the same bytes as any number above zero does."""
    options: dict[int, int] = {
        zstd.CompressionParameter.compression_level: level,
        zstd.CompressionParameter.checksum_flag: 1,
        zstd.CompressionParameter.nb_workers: 2,
    }
    return zstd.compress(content, options=options)


def room(folder: Path) -> int:
    """Bytes that the files take on disk."""
    return sum(-(-path.stat().st_size // BLOCK) * BLOCK if path.is_file() else BLOCK for path in folder.rglob("*"))


def content_id(archive: bytes) -> str:
    """What names the unpacked folder: of the content alone, however well it was compressed."""
    return hashlib.sha256(archive).hexdigest()[:ID_LENGTH]


def assemble(launcher: bytes, archive: bytes, frame: bytes, unpacked: int) -> bytes:
    """The binary."""
    return launcher + frame + TRAILER.pack(MAGIC, len(launcher), len(frame), unpacked, content_id(archive).encode())


def main() -> None:
    """See the module's docstring."""
    folder, launcher, binary, level = sys.argv[1:]
    archive = pack(Path(folder))
    whole = assemble(Path(launcher).read_bytes(), archive, compress(archive, int(level)), room(Path(folder)))
    beside = Path(f"{binary}.new")
    beside.write_bytes(whole)
    beside.chmod(0o755)
    beside.replace(binary)
    print(content_id(archive))


if __name__ == "__main__":
    main()
