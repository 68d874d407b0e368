"""The only place that changes the machine itself: installs the few tools that are missing, with apt-get."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from .apt import KEYRINGS
from .faults import Cause, Fault
from .layout import ARCHITECTURES, Layout
from .process import run
from .progress import Progress


@dataclass(frozen=True)
class Tool:
    """Something that bootstrap needs of the machine, the Debian package it is in, and how to see that it is there."""

    package: str
    is_there: Callable[[], bool]


def has_program(*names: str) -> bool:
    return any(shutil.which(name) for name in names)


FETCHING = (
    Tool("ca-certificates", lambda: Path("/etc/ssl/certs/ca-certificates.crt").is_file()),
    Tool("debian-archive-keyring", lambda: any(path.is_file() for path in KEYRINGS)),
)
COMPILING = (
    Tool("g++", lambda: has_program("c++", "g++") and has_program("cc", "gcc")),
    Tool("libc6-dev", lambda: Path("/usr/include/stdlib.h").is_file()),
)


def check_suitable(layout: Layout) -> None:
    """Raises Fault(MACHINE) where no tree can be built: no apt, or an architecture that is not covered."""
    if layout.machine not in ARCHITECTURES:
        known = " and ".join(ARCHITECTURES)
        raise Fault(Cause.MACHINE, f"{layout.machine} machines are not supported, only {known}")
    if not has_program("apt-get") or not has_program("dpkg-deb"):
        raise Fault(
            Cause.MACHINE,
            "apt-get and dpkg-deb are not there",
            remedy="run this on Debian 12 or newer, or copy a checkout's .runtime from such a machine to the same path",
        )


def install_missing(tools: tuple[Tool, ...], progress: Progress) -> None:
    """Installs the packages of the tools that are not there, with sudo where not root. Raises Fault(TOOLS)."""
    missing = [tool.package for tool in tools if not tool.is_there()]
    if not missing:
        return
    by_hand = f"install by hand: apt-get install {' '.join(missing)}"
    prefix = as_root(by_hand, missing)
    progress.say(f"machine: apt-get installs what is missing: {' '.join(missing)}")
    quiet = {"DEBIAN_FRONTEND": "noninteractive"}
    run([*prefix, "apt-get", "-q", "update"], Cause.TOOLS, "apt-get update", extra=quiet, remedy=by_hand)
    install = [*prefix, "apt-get", "-q", "install", "--yes", "--no-install-recommends", *missing]
    run(install, Cause.TOOLS, f"installing {' '.join(missing)}", extra=quiet, remedy=by_hand)


def as_root(by_hand: str, missing: list[str]) -> list[str]:
    """What to put before a command to run it as root; a password is asked for on the terminal if sudo wants one."""
    if os.geteuid() == 0:
        return []
    if has_program("sudo"):
        return ["sudo"]
    raise Fault(Cause.TOOLS, f"{', '.join(missing)}: missing, and neither root nor sudo is there", remedy=by_hand)
