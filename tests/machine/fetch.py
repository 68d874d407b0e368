"""What an emulated machine is made of: QEMU, a kernel and busybox, unpacked from Debian's packages and never installed.

QEMU comes with its own C library and is started through it, so that it runs on any Linux.
"""

from __future__ import annotations

import os
import re
import shutil
from dataclasses import dataclass
from pathlib import Path

from tools.runtime_tree.apt import Apt, Package, unpack
from tools.runtime_tree.layout import Layout, here
from tools.runtime_tree.lock import held
from tools.runtime_tree.mirror import choose
from tools.runtime_tree.packages import SUITE
from tools.runtime_tree.progress import Progress
from tools.runtime_tree.stamps import write_atomically
from tools.runtime_tree.tree import file_of, merge_folders

# The cloud kernel has what virtual machines have, and is the smallest that Debian builds.
WANTED = ("qemu-system-x86", "linux-image-cloud-amd64", "busybox-static")
# Dependencies of installing: what builds and boots an initramfs of Debian's own, and what asks questions.
UNWANTED = re.compile(
    r"systemd.*|libsystemd-shared|udev|dracut.*|debconf|linux-base.*|linux-image-cloud-amd64|e2fsprogs|logsave|"
    r"libext2fs2.*|libss2|libcom-err2|mount|libsmartcols1|kmod|3cpio|gcc-.*-base|libasound2-data|libc-gconv-.*"
)
MADE = "made"  # written last: the list of what is in a tree


@dataclass(frozen=True, slots=True)
class Parts:
    """Where they lie after unpacking, below one folder."""

    root: Path

    @property
    def kernel(self) -> Path:
        """A bzImage."""
        return self.modules / "vmlinuz"

    @property
    def modules(self) -> Path:
        """The kernel's modules: a folder named after its release, as modprobe wants it below /lib/modules."""
        return next(self.root.glob("usr/lib/modules/*"))

    @property
    def busybox(self) -> Path:
        """A static program."""
        return self.root / "usr/bin/busybox"

    def qemu(self) -> list[str]:
        """The beginning of a command line that starts it."""
        libraries = self.root / "usr/lib/x86_64-linux-gnu"
        program = self.root / "usr/bin/qemu-system-x86_64"
        loader = libraries / "ld-linux-x86-64.so.2"
        firmware = [self.root / "usr/share" / name for name in ("qemu", "seabios", "ipxe/qemu")]
        command = [str(loader), "--library-path", str(libraries), str(program)]
        return [*command, *(word for folder in firmware for word in ("-L", str(folder)))]


def fetch(layout: Layout | None = None) -> Parts:
    """The parts, from the cache of the checkout, else from the mirror: 70 MB, half a minute. Fault if that fails."""
    return Parts(unpacked("machine", WANTED, UNWANTED, layout or here()))


def unpacked(name: str, names: tuple[str, ...], unwanted: re.Pattern[str], layout: Layout) -> Path:
    """The folder with packages and what they need but for `unwanted`, below `name` in the cache. Fault."""
    folder = layout.cache / name
    with held(folder / "lock", Progress()):
        root = folder / "root"
        wanted = "\n".join((SUITE, *names, unwanted.pattern))
        if not (root / MADE).is_file() or (root / MADE).read_text() != wanted:
            _make(root, wanted, _download(folder, names, unwanted, layout))
        return root


def _download(folder: Path, names: tuple[str, ...], unwanted: re.Pattern[str], layout: Layout) -> list[Path]:
    apt = Apt(folder / "apt", mirror=choose(os.environ), suite=SUITE, architecture=layout.debian_architecture)
    apt.update()
    chosen: list[Package] = [each for each in apt.closure(names) if not unwanted.fullmatch(each.name)]
    apt.download(chosen, folder / "packages")
    return [folder / "packages" / file_of(each, folder / "packages") for each in chosen]


def _make(root: Path, wanted: str, archives: list[Path]) -> None:
    partial = root.with_name("partial")
    for each in (partial, root):
        shutil.rmtree(each, ignore_errors=True)
    partial.mkdir(parents=True)
    merge_folders(partial)
    for archive in archives:
        unpack(archive, partial)
        archive.unlink()
    write_atomically(partial / MADE, wanted)
    partial.rename(root)
