"""What the machine allows a process of ours: read once at start."""

from __future__ import annotations

import os
import resource
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from supervisor.limits.process import DEFAULT_MAPPINGS_LIMIT


@dataclass(frozen=True, slots=True)
class Machine:
    """Memory in bytes, the rest counts; None: no limit, or one that is not known."""

    memory: int  # of the machine, or of the cgroup if that is less
    open_files: int | None
    mappings: int  # vm.max_map_count
    overcommit: int  # vm.overcommit_memory: 0 by guess, 1 always, 2 never
    processes: int | None  # threads that may be, of all limits the narrowest
    processes_by: str = ""  # which limit that is
    address_space: int | None = None  # RLIMIT_AS


def read_machine(root: Path = Path("/")) -> Machine:
    """The machine as it is now. Never raises: what cannot be read counts as Linux's default. `root` is for tests."""
    processes, by = min(_processes(root), default=(None, ""), key=lambda each: each[0])
    kernel = root / "proc/sys"
    return Machine(
        memory=min(_memory(root)),
        open_files=_soft_or_hard(resource.RLIMIT_NOFILE),
        mappings=_number(kernel / "vm/max_map_count") or DEFAULT_MAPPINGS_LIMIT,
        overcommit=_number(kernel / "vm/overcommit_memory") or 0,
        processes=processes,
        processes_by=by,
        address_space=_soft_or_hard(resource.RLIMIT_AS),
    )


def _memory(root: Path) -> Iterator[int]:
    yield os.sysconf("SC_PAGESIZE") * os.sysconf("SC_PHYS_PAGES")
    for controller, name in (("memory", "memory.limit_in_bytes"), ("", "memory.max")):
        yield from (value for value in _cgroup_values(root, controller, name) if value > 0)


def _processes(root: Path) -> Iterator[tuple[int, str]]:
    soft = _soft_or_hard(resource.RLIMIT_NPROC)
    if soft is not None and os.geteuid() != 0:  # the kernel does not count root's
        yield soft, "RLIMIT_NPROC"
    for name in ("threads-max", "pid_max"):
        value = _number(root / "proc/sys/kernel" / name)
        if value is not None:
            yield value, f"kernel.{name}"
    for controller in ("pids", ""):
        for value in _cgroup_values(root, controller, "pids.max"):
            yield value, "pids.max of its cgroup"


def _cgroup_values(root: Path, controller: str, file: str) -> Iterator[int]:
    """The numbers in `file` of the cgroup of this process and of those above; version 2 has no controller's name."""
    for line in _text(root / "proc/self/cgroup").splitlines():
        _, controllers, path = (*line.split(":", 2), "", "")[:3]
        if controller not in controllers.split(","):
            continue
        for mount in (controller,) if controller else ("", "unified"):
            folder = PurePosixPath(path)
            for each in (folder, *folder.parents):
                value = _number(root / "sys/fs/cgroup" / mount / str(each).lstrip("/") / file)
                if value is not None:
                    yield value


def _soft_or_hard(which: int) -> int | None:
    soft, _ = resource.getrlimit(which)
    return None if soft == resource.RLIM_INFINITY else soft


def _number(file: Path) -> int | None:
    text = _text(file).strip()
    return int(text) if text.isdigit() else None


def _text(file: Path) -> str:
    try:
        return file.read_text()
    except OSError, ValueError:
        return ""
