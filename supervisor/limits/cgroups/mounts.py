"""Where the kernel's CPU controller is, and in which of its groups this process is. Blocking; read once per start."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc/self")
_ESCAPED = re.compile(r"\\([0-7]{3})")


@dataclass(frozen=True, slots=True)
class Hierarchy:
    """The group of this process in the tree that has the CPU controller."""

    version: int  # 1 or 2
    own: Path

    def __str__(self) -> str:
        return f"cgroup v{self.version} at {self.own}"


@dataclass(frozen=True, slots=True)
class Absent:
    """Why there are no CPU quotas on this host."""

    problem: str
    remedy: str


def find_hierarchy(proc: Path = PROC) -> Hierarchy | Absent:
    """Looks at what is mounted; v1's controller first, because a kernel gives it to one of the two only.

    The formats: proc(5), /proc/pid/mountinfo, and cgroups(7), /proc/pid/cgroup.
    """
    try:
        mounts = _mounts((proc / "mountinfo").read_text())
        groups = _groups((proc / "cgroup").read_text())
    except (OSError, ValueError) as error:
        return Absent(f"/proc does not tell of cgroups ({error})", "mount /proc, and a kernel with CONFIG_CGROUPS")
    for mount in mounts:
        if mount.kind == "cgroup" and "cpu" in mount.options and "cpu" in groups:
            return _own(1, mount, groups["cpu"])
    for mount in mounts:
        if mount.kind == "cgroup2" and "" in groups:
            return _second(_own(2, mount, groups[""]))
    return Absent(
        "no cgroup file system is mounted", "`mount -t cgroup2 none /sys/fs/cgroup`, or OpenRC's `cgroups` service"
    )


@dataclass(frozen=True, slots=True)
class _Mount:
    kind: str
    root: str  # what of the file system is seen there
    point: str
    options: frozenset[str]


def _mounts(text: str) -> list[_Mount]:
    found = []
    for line in text.splitlines():
        before, _, after = line.partition(" - ")
        kind, _, options = after.split(" ", 2)
        if kind.startswith("cgroup"):
            fields = [_plain(field) for field in before.split(" ")]
            found.append(_Mount(kind, fields[3], fields[4], frozenset(options.split(","))))
    return found


def _plain(field: str) -> str:
    return _ESCAPED.sub(lambda found: chr(int(found[1], 8)), field)


def _groups(text: str) -> dict[str, str]:
    """The path of this process's group for each controller; v2's has no name."""
    found = {}
    for line in text.splitlines():
        _, controllers, path = line.split(":", 2)
        for controller in controllers.split(","):
            found[controller] = path
    return found


def _own(version: int, mount: _Mount, group: str) -> Hierarchy | Absent:
    """The folder of a group: a mount may show a part of the tree only (containers)."""
    inside = os.path.relpath(group, mount.root)
    if inside.startswith(".."):
        return Absent(
            f"this process is in {group}, which {mount.point} does not show", "mount the whole cgroup tree, or our part"
        )
    return Hierarchy(version, Path(os.path.normpath(Path(mount.point) / inside)))


def _second(found: Hierarchy | Absent) -> Hierarchy | Absent:
    if isinstance(found, Absent):
        return found
    try:
        controllers = (found.own / "cgroup.controllers").read_text().split()
    except OSError as error:
        return Absent(f"{found.own} cannot be read ({error.strerror})", "let this process see its cgroup")
    if "cpu" in controllers:
        return found
    return Absent(
        f"the CPU controller is not given to {found.own}",
        f"`echo +cpu > cgroup.subtree_control` in {found.own.parent} and above; systemd: Delegate=yes in the unit",
    )
