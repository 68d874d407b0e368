"""Programs and files that tests of starting and switching off have in common."""

from __future__ import annotations

from pathlib import Path


def script(folder: Path, text: str, name: str = "program") -> str:
    """A program of /bin/sh; its path."""
    file = folder / name
    file.write_text(f"#!/bin/sh\n{text}\n")
    file.chmod(0o755)
    return str(file)


def secret(folder: Path, text: str | bytes, mode: int = 0o600, name: str = "credentials") -> Path:
    """A file that only its owner can read, if nothing else is said."""
    file = folder / name
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    file.chmod(mode)
    return file
