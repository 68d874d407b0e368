"""Runs programs and turns their failures into faults."""

from __future__ import annotations

import errno
import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from .faults import Cause, Fault

NO_SPACE = os.strerror(errno.ENOSPC)


def clean_environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """The caller's environment without what would lead a Python or a compiler astray; messages in English, so that
    they can be told apart."""
    unwanted = ("PYTHONHOME", "PYTHONPATH", "PYTHONSTARTUP", "VIRTUAL_ENV", "LD_LIBRARY_PATH", "LD_PRELOAD")
    kept = {name: value for name, value in os.environ.items() if name not in unwanted}
    return {**kept, "LC_ALL": "C.UTF-8", **(extra or {})}


def run(
    command: Sequence[str | Path],
    cause: Cause,
    what: str,
    *,
    cwd: Path | None = None,
    extra: Mapping[str, str] | None = None,
    remedy: str = "",
) -> str:
    """Runs a program to its end and returns all of its output. Raises Fault(cause) with that output if it fails."""
    arguments = [str(part) for part in command]
    try:
        done = subprocess.run(
            arguments,
            cwd=cwd,
            env=clean_environment(extra),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
            text=True,
            errors="replace",
        )
    except FileNotFoundError as error:
        raise Fault(cause, f"{what}: {arguments[0]} is not there", remedy=remedy) from error
    if done.returncode != 0:
        raise failure(cause, f"{what}: {Path(arguments[0]).name} ended with {done.returncode}", done.stdout, remedy)
    return done.stdout


def failure(cause: Cause, message: str, output: str, remedy: str = "") -> Fault:
    """The fault for a failed program: a full disk is recognised whatever the program was."""
    if NO_SPACE in output:
        return disk_full(output)
    return Fault(cause, message, remedy=remedy, output=output)


def disk_full(output: str = "") -> Fault:
    """The fault for a full disk."""
    remedy = "free some space (2 GiB are enough) and run again"
    return Fault(Cause.DISK, "the disk is full", remedy=remedy, output=output)
