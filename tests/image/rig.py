"""Emulated machines that boot from a real boot server, in a network of their own."""

from __future__ import annotations

import os
import re
import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.boot.running import Site
from tests.machine.fetch import Parts
from tests.machine.guest import bare
from tests.machine.qemu import Emulated, Hardware
from tools.runtime_tree.layout import here

WORDS = b"console=ttyS0 quiet panic=-1 tsc=reliable mitigations=off"
BOOT_S = 280.0  # a quiet machine needs a fifth of that
# The one file that is the host, where it was built; else the tree of the checkout travels.
BINARY = Path(os.environ.get("ISOLATED_BINARY", here().build / "binary/isolated"))


def uefi(site: Site) -> tuple[str, ...]:
    """What a machine has in place of a BIOS: firmware that boots over the network by itself, without iPXE's ROM."""
    remembered = site.folder / "vars.fd"
    shutil.copy(site.parts.uefi.with_name("OVMF_VARS_4M.fd"), remembered)
    flash = ("-drive", f"if=pflash,format=raw,readonly=on,file={site.parts.uefi}")
    return (*flash, "-drive", f"if=pflash,format=raw,file={remembered}")


def machine(
    site: Site, parts: Parts, mac: str, *, memory_mib: int = 512, firmware: tuple[str, ...] | None = None
) -> Emulated:
    """An empty machine: it has a network card, and nothing to boot from but that."""
    card = f"virtio-net-pci,netdev=n0,mac={mac},bootindex=1" + ("" if firmware is None else ",romfile=")
    network = f"tap,id=n0,ifname={site.net.tap()},script=no,downscript=no"
    hardware = Hardware(
        processors=1, memory_mib=memory_mib, options=("-netdev", network, "-device", card, *(firmware or ()))
    )
    return Emulated(parts, hardware=hardware, inside=site.net.server.command())


def small_image(site: Site, parts: Parts, version: str, *, padding: int = 0) -> Path:
    """An image that only says which it is, with so many bytes more to carry."""
    folder = site.folder / "made"
    folder.mkdir(exist_ok=True)
    made = bare(parts, f"echo image {version} runs; sleep 3600")
    made.file("/padding", os.urandom(padding))
    made.write(folder / version)
    files = {"vmlinuz": parts.kernel.read_bytes(), "initramfs": (folder / version).read_bytes(), "cmdline": WORDS}
    return site.image(version, files)


@dataclass(frozen=True, slots=True)
class Stage:
    """A station in the guest, in seconds since its kernel started."""

    name: str
    up: float


def stages(lines: list[str]) -> list[Stage]:
    """What the stand-in's init told."""
    found = (re.fullmatch(r"stage (\w+) ([\d.]+)", line) for line in lines)
    return [Stage(match[1], float(match[2])) for match in found if match]


@pytest.fixture
def binary() -> Path | None:
    """The one file; None where it was not built."""
    return BINARY if BINARY.is_file() else None
