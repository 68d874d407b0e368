"""dnsmasq, iPXE's loaders and firmware of UEFI from Debian's packages, unpacked and never installed."""

from __future__ import annotations

import re
import shutil
import stat
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.machine.fetch import unpacked
from tools.runtime_tree.faults import Fault
from tools.runtime_tree.layout import here

WANTED = ("dnsmasq-base", "ipxe", "ovmf")
# Dependencies of installing, and of what asks questions over a bus that is not there.
UNWANTED = re.compile(r"debconf|cdebconf|adduser|passwd|runit-helper|systemd.*|gcc-.*-base|perl.*|libc-gconv-.*")


@dataclass(frozen=True, slots=True)
class BootParts:
    """Where they lie, below one folder that every user may read."""

    dnsmasq: Path
    loaders: Path
    uefi: Path  # firmware, and below the same folder what it remembers


@pytest.fixture(scope="session")
def boot_parts(tmp_path_factory: pytest.TempPathFactory) -> BootParts:
    """The parts; skips where they cannot be had."""
    for program in ("apt-get", "dpkg-deb", "setpriv"):
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not here")
    try:
        root = unpacked("boot", WANTED, UNWANTED, here())
    except Fault as fault:
        pytest.skip(f"dnsmasq cannot be had: {fault.message}")
    return BootParts(_launcher(root), root / "usr/lib/ipxe", root / "usr/share/OVMF/OVMF_CODE_4M.fd")


def _launcher(root: Path) -> Path:
    """A program that starts dnsmasq with the C library that it came with, so that it runs on any Linux."""
    libraries = root / "usr/lib" / here().multiarch
    program = root / "dnsmasq"
    loader = f"'{libraries / here().loader_name}' --library-path '{libraries}'"
    program.write_text(f"#!/bin/sh\nexec {loader} '{root}/usr/sbin/dnsmasq' \"$@\"\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH)
    return program
