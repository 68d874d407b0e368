"""What Python has no name for: becoming the parent of orphans."""

from __future__ import annotations

import ctypes
import os

PR_SET_CHILD_SUBREAPER = 36  # linux/prctl.h


def adopt_orphans(*, adopt: bool) -> None:
    """Whether descendants whose parent died become this process's children; kept across exec. OSError."""
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    if prctl(PR_SET_CHILD_SUBREAPER, ctypes.c_ulong(adopt), 0, 0, 0) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
