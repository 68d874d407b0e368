"""The form of a bundle: a tar of regular files, in one canonical spelling, so that equal files have equal digests.

Written by hand, as tarfile may spell the same header otherwise in another version of Python, and a digest has to be
the same everywhere. Read by hand, as tarfile takes an archive that breaks off or is damaged for one that ends there.
"""

from __future__ import annotations

import struct
import tarfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from supervisor.errors import BundleRefused
from supervisor.state.names import refused

BLOCK = 512
END = bytes(2 * BLOCK)
PAX_BYTES = 16 * 1024  # what is said of one entry beside its header: a long name and some times
_NAME_BYTES = 100
_FIELDS = struct.Struct("100s8s8s8s12s12s8s1s100s8s32s32s8s8s155s12x")  # POSIX.1-1988, ustar

_KINDS = {
    tarfile.LNKTYPE: "is a link",
    tarfile.SYMTYPE: "is a symbolic link",
    tarfile.CHRTYPE: "is a device",
    tarfile.BLKTYPE: "is a device",
    tarfile.FIFOTYPE: "is a pipe",
    tarfile.CONTTYPE: "is of a kind that a bundle cannot hold",
    tarfile.GNUTYPE_SPARSE: "is a sparse file",
    tarfile.XGLTYPE: "sets what holds for all entries",
}
_BROKEN = "upload it again; `isolated apply` packs a folder by itself"


@dataclass(frozen=True, slots=True)
class Entry:
    """What a header says; its file's bytes follow."""

    name: str  # as it stands there; bytes that are no UTF-8 are halves of surrogate pairs
    size: int
    is_folder: bool


def padding(size: int) -> int:
    """How many zeros follow `size` bytes of a file."""
    return -size % BLOCK


def header(path: str, size: int) -> bytes:
    """What stands before a file of a canonical archive: nothing in it but the path and the size can differ."""
    name = path.encode()
    if len(name) <= _NAME_BYTES:
        return _ustar(name, size, tarfile.REGTYPE)
    record = _pax_record(b"path", name)
    extended = _ustar(b"path", len(record), tarfile.XHDTYPE) + record + bytes(padding(len(record)))
    return extended + _ustar(name[:_NAME_BYTES], size, tarfile.REGTYPE)


def entries(read: Callable[[int], bytes], most: int) -> Iterator[Entry]:
    """The entries of an archive, to its end mark. `read`: exactly so many bytes, or BundleRefused.

    `most`: how many headers of any kind there may be, as nothing else bounds those of folders and long names.

    Who iterates reads an entry's file and its padding before asking for the next.
    """
    name: str | None = None
    while (block := read(BLOCK)) != bytes(BLOCK):
        most -= 1
        if most < 0:
            raise BundleRefused("the bundle's archive has too many headers", "pack each file and each folder once")
        info = _parse(block)
        if info.type == tarfile.XHDTYPE:
            name = _pax_path(_extra(info, read)) or name
        elif info.type == tarfile.GNUTYPE_LONGNAME:
            name = _extra(info, read).split(b"\0", 1)[0].decode("utf-8", "surrogateescape")
        else:
            yield _entry(info, info.name if name is None else name)
            name = None
    if name is not None or read(BLOCK) != bytes(BLOCK):
        raise BundleRefused("the bundle's archive has no proper end", _BROKEN)


def _entry(info: tarfile.TarInfo, name: str) -> Entry:
    if info.type in _KINDS:
        raise refused(name, _KINDS[info.type], "a bundle holds regular files only: pack what it stands for")
    # An old way to say folder: a file whose name ends so.
    is_folder = info.type == tarfile.DIRTYPE or name.endswith("/")
    if not is_folder and info.type not in (tarfile.REGTYPE, tarfile.AREGTYPE):
        raise refused(name, "is of a kind that a bundle cannot hold", "a bundle holds regular files only")
    if info.size < 0 or (is_folder and info.size):
        raise refused(name, "has a size that cannot be", _BROKEN)
    return Entry(name, info.size, is_folder)


def _parse(block: bytes) -> tarfile.TarInfo:
    try:
        return tarfile.TarInfo.frombuf(block, "utf-8", "surrogateescape")
    except (tarfile.HeaderError, ValueError) as error:
        raise BundleRefused(f"the bundle's archive is damaged, or not a tar: {error}", _BROKEN) from error


def _extra(info: tarfile.TarInfo, read: Callable[[int], bytes]) -> bytes:
    """What follows a header that tells more of the next one."""
    if not 0 < info.size <= PAX_BYTES:
        why = f"is said {info.size} bytes of; at most {PAX_BYTES} make sense"
        raise refused(info.name, why, "pack it again, with plain names")
    data = read(info.size)
    read(padding(info.size))
    return data


def _pax_record(key: bytes, value: bytes) -> bytes:
    """One line of an extended header; the number in front of it counts its own digits too."""
    rest = len(key) + len(value) + len(b" =\n")
    length = rest + len(str(rest))
    length = rest + len(str(length))
    return b"%d %s=%s\n" % (length, key, value)


def _pax_path(data: bytes) -> str | None:
    """The path in an extended header; times and owners are passed over, what changes an entry's size or kind is not."""
    path: str | None = None
    while data:
        digits, space, _ = data.partition(b" ")
        length = int(digits) if digits.isdigit() and len(digits) < 6 else 0
        key, equals, value = data[len(digits) + 1 : length - 1].partition(b"=")
        if not (space and equals and key) or data[length - 1 : length] != b"\n":
            raise BundleRefused("the bundle's archive is damaged: an extended header cannot be read", _BROKEN)
        if key == b"path":
            path = value.decode("utf-8", "surrogateescape")
        elif key in (b"size", b"linkpath") or key.startswith(b"GNU.sparse"):
            raise refused(path or "", f"has {key.decode()} in an extended header", "pack plain files")
        data = data[length:]
    return path


def _ustar(name: bytes, size: int, kind: bytes) -> bytes:
    zero = b"0000000\0"
    octal = b"%011o\0"
    blanks = b" " * 8  # the checksum is of a header with these in its place
    fields = _FIELDS.pack(
        name,
        b"0000644\0",
        zero,
        zero,
        octal % size,
        octal % 0,
        blanks,
        kind,
        b"",
        b"ustar\x0000",
        b"",
        b"",
        zero,
        zero,
        b"",
    )
    return fields[:148] + b"%06o\0 " % sum(fields) + fields[156:]
