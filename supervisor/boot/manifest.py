"""The checksums of an image version, in the form of sha256sum(1): `sha256sum -c SHA256SUMS` checks it too. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import PurePosixPath

from supervisor.spec.refused import Refused

MANIFEST = "SHA256SUMS"
_LINE = re.compile(r"([0-9a-f]{64}) [ *]([^\x00-\x1f\x7f\\]+)", re.ASCII)


def is_inside(name: str) -> bool:
    """Whether a name is that of a file below the folder that it is relative to, in its only spelling."""
    pure = PurePosixPath(name)
    return name == str(pure) and not pure.is_absolute() and ".." not in pure.parts and name not in ("", ".")


def parse_manifest(text: str) -> dict[str, str]:
    """Checksums by name; raises Refused, naming the line."""
    found: dict[str, str] = {}
    for number, line in enumerate(text.split("\n"), 1):
        match = _LINE.fullmatch(line)
        if match and is_inside(match[2]) and match[2] not in found:
            found[match[2]] = match[1]
        elif line:
            raise Refused(
                f"line {number} is not a checksum and the name of a file inside",
                allowed="64 hexadecimal digits, two blanks, a relative path; each path once",
                remedy="make it again: isolated boot-server seal VERSION",
            )
    return found


def format_manifest(checksums: Mapping[str, str]) -> str:
    """The text of a manifest, by name."""
    return "".join(f"{checksums[name]}  {name}\n" for name in sorted(checksums))
