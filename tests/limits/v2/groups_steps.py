"""Runs in the guest: the groups of a process as the host makes them, and what a killed process leaves."""

from __future__ import annotations

import os
import signal
import threading
import time
from pathlib import Path

from supervisor.limits.cgroups import CpuGroups
from tests.limits.v2.measuring import shares, spinner, tell

ROOT = Path("/sys/fs/cgroup")
OWN = ROOT / "groups"
SECONDS = 3.0
MANY = 100
PATIENCE_S = 20


def main() -> None:
    """A process in a group of its own, as under a service manager."""
    (ROOT / "cgroup.subtree_control").write_text("+cpu")
    OWN.mkdir()
    (OWN / "cgroup.procs").write_text(str(os.getpid()))
    _leave_some()
    left = _folders()
    groups = CpuGroups.open()
    tell("leftovers", before=left, after=_folders(), how=groups.enforcement.how, problem=groups.enforcement.problem)

    threads = spinner(), spinner()
    slow, free = groups.place("a", threads[0], 0.2), groups.rest()
    groups.breed(threads[1])
    found = shares(threads, SECONDS)
    usage = None if slow is None else slow.usage()
    types = {each.parent.name: each.read_text().strip() for each in OWN.rglob("cgroup.type")}
    tell(
        "groups", shares=found, types=sorted(set(types.values())), own=(OWN / "cgroup.type").read_text().strip(),
        throttled_s=None if usage is None else usage.throttled_s, free=free.usage(),
    )  # fmt: skip
    _many(groups)
    os._exit(0)  # the threads never end by themselves


def _leave_some() -> None:
    """A process that has groups is killed."""
    pid = os.fork()
    if pid == 0:
        groups = CpuGroups.open()
        for number in range(3):
            groups.place(f"lost-{number}", spinner(), 0.1)
        os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(pid, 0)


def _many(groups: CpuGroups) -> None:
    """For as many threads as a host has isolates: placed, ended, and nothing is left of them."""
    before = len(_folders())
    over = threading.Event()
    threads = [threading.Thread(target=over.wait) for _ in range(MANY)]
    for each in threads:
        each.start()
    start = time.monotonic()
    placed = [groups.place(f"task-{number}", each.native_id or 0, 0.2) for number, each in enumerate(threads)]
    took = time.monotonic() - start
    there = len(_folders()) - before
    for group in placed:
        if group is not None:
            group.leave()
    waiting = groups.leaving  # their threads live
    over.set()
    for each in threads:
        each.join()
    deadline = time.monotonic() + PATIENCE_S
    while groups.leaving and time.monotonic() < deadline:  # threads leave some milliseconds after they were joined
        groups.sweep()
    tell("many", there=there, waiting=waiting, left=len(_folders()) - before, place_s=took / MANY)


def _folders() -> list[str]:
    return sorted(str(each.relative_to(OWN)) for each in OWN.rglob("*/") if each != OWN)


if __name__ == "__main__":
    main()
