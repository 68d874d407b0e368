"""A task's folder on its way to the host: packed, and uploaded unless the host has it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from supervisor.cli.client import Client
from supervisor.cli.progress import transferring, waiting
from supervisor.errors import IsolatedError
from supervisor.printable import printable
from supervisor.state.archive import Packed, pack
from supervisor.state.names import BundleLimits

CHUNK_BYTES = 256 * 1024
ENTRIES_MAX = 1_000_000  # the host's own limit is lower, and may be set


@contextmanager
def packed(folder: str, task_file: str, unpacked_max: int) -> Iterator[Packed]:
    """The folder as an archive, without the task file: its settings go their own way. BundleRefused, IsolatedError."""
    limits = BundleLimits(size=unpacked_max, unpacked=unpacked_max, entries=ENTRIES_MAX)
    own_file = os.path.relpath(os.path.realpath(task_file), os.path.realpath(folder))
    try:
        with waiting(f"packing {printable(folder)}"):
            archive = pack(Path(folder), leave_out=(own_file,), limits=limits)
    except OSError as error:
        where = printable(str(error.filename or folder))
        remedy = "check its permissions, and that there is room for temporary files"
        raise IsolatedError(f"cannot pack {where}: {error.strerror}", remedy) from None
    with archive:
        yield archive


def bring(client: Client, archive: Packed, label: str) -> None:
    """Uploads the archive unless the host has it."""
    if not client.has("bundles", archive.digest):
        archive.file.seek(0)
        with transferring(f"{label}: uploading", _chunks(archive.file), archive.size) as chunks:
            client.upload(chunks, archive.size, "bundles", archive.digest)


def _chunks(file: BinaryIO) -> Iterator[bytes]:
    while chunk := file.read(CHUNK_BYTES):
        yield chunk
