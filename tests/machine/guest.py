"""What a guest has inside: busybox, and on demand Python and the host itself, at the same paths as on this machine.

The runtime tree's programs name their C library by its whole path, so that it has to be the same there.
"""

from __future__ import annotations

import re
from importlib import metadata
from pathlib import Path

from tests.machine.fetch import Parts
from tests.machine.initramfs import Initramfs
from tools.runtime_tree.layout import Layout

INIT = """\
#!/bin/busybox sh
/bin/busybox mkdir -p /proc /sys /dev /tmp /run /var /root
/bin/busybox mount -t devtmpfs dev /dev
/bin/busybox mount -t proc proc /proc
/bin/busybox mount -t sysfs sys /sys
/bin/busybox --install -s /bin
export PATH=/bin HOME=/root LANG=C.UTF-8
ip link set lo up
{script}
echo "end $?"
poweroff -f
"""
NOT_IN_GUESTS = {"__pycache__", "include", "src", "doc", "man", "idlelib", "ensurepip", "venv", "pkgconfig", "cmake"}
# Programs and libraries of the tree that no host in a guest uses.
NOT_USED = re.compile(r"esbuild|.*\.a|.*\.o|libpython3.*\.so.*|icu-config.*|npm|corepack")


def bare(parts: Parts, script: str) -> Initramfs:
    """A guest with busybox that runs `script` as root, prints `end CODE` and switches itself off."""
    made = Initramfs()
    made.take(parts.busybox, "/bin/busybox")
    made.device("/dev/console", 5, 1)
    made.file("/init", INIT.format(script=script), mode=0o755)
    return made


def with_host(made: Initramfs, layout: Layout) -> Path:
    """Adds the runtime tree, what the supervisor runs with, and the supervisor; returns Python's path."""
    tree, venv = layout.tree.resolve(), layout.venv.resolve()
    made.tree(tree / "usr", wanted=_used)
    made.tree(tree / "launchers", wanted=_used)
    for link in (layout.tree, layout.usr, layout.venv):
        made.take(link)
    for name in ("bin/python", "bin/python3", "bin/python3.14", "pyvenv.cfg", "lib64"):
        if (venv / name).exists():
            made.take(venv / name)
    for line in (layout.checkout / "requirements/runtime.txt").read_text().splitlines():
        if "==" in line:
            _distribution(made, line.partition("==")[0])
    made.tree(layout.checkout / "supervisor", wanted=_used)
    return layout.venv / "bin/python"


def _distribution(made: Initramfs, name: str) -> None:
    """A package of the environment."""
    found = metadata.distribution(name)
    for file in found.files or ():
        path = Path(str(file.locate())).resolve()
        if path.is_file() and _used(path) and "__pycache__" not in path.parts:
            made.take(path)


def _used(path: Path) -> bool:
    return path.name not in NOT_IN_GUESTS and NOT_USED.fullmatch(path.name) is None
