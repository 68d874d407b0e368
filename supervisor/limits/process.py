"""What this process has of the kernel: memory, and pieces of address space."""

from __future__ import annotations

import os
import resource
from dataclasses import dataclass
from pathlib import Path

_STATM = Path("/proc/self/statm")
_MAPS = Path("/proc/self/maps")
_FILES = "/proc/self/fd"
_MAPPINGS_LIMIT = Path("/proc/sys/vm/max_map_count")
DEFAULT_MAPPINGS_LIMIT = 65_530  # of Linux


@dataclass(frozen=True, slots=True)
class ProcessFigures:
    """RSS in bytes; how many mappings and open files there are and may be."""

    rss: int
    mappings: int
    mappings_limit: int
    open_files: int
    open_files_limit: int | None  # None: any


def read_process() -> ProcessFigures:
    """Reads the figures of now. Any thread; takes 1 ms for some thousand mappings, so not the loop's."""
    resident_pages = int(_STATM.read_text().split()[1])
    with _MAPS.open("rb") as maps:
        mappings = sum(1 for _ in maps)
    try:
        limit = int(_MAPPINGS_LIMIT.read_text())
    except OSError, ValueError:
        limit = DEFAULT_MAPPINGS_LIMIT
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return ProcessFigures(
        rss=resident_pages * os.sysconf("SC_PAGESIZE"),
        mappings=mappings,
        mappings_limit=limit,
        open_files=len(os.listdir(_FILES)) - 1,  # that of the listing itself
        open_files_limit=None if files == resource.RLIM_INFINITY else files,
    )
