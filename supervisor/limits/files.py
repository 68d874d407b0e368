"""How many files this process may have open: each isolate holds one, each connection another."""

from __future__ import annotations

import resource


def raise_open_files() -> int:
    """Raises the soft limit of open files to the hard one, which needs no rights; returns what holds now."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard
