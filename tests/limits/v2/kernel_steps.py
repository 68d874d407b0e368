"""Runs in the guest: what we rely on in cgroup v2, by its files alone, so that it is told from what we do with it."""

from __future__ import annotations

import os
from pathlib import Path

from tests.limits.v2.measuring import shares, spinner, tell

ROOT = Path("/sys/fs/cgroup")
SECONDS = 3.0


def main() -> None:
    """A process in a group of its own, as under a service manager; two of its threads in threaded groups."""
    host = ROOT / "kernel"
    host.mkdir()
    (ROOT / "cgroup.subtree_control").write_text("+cpu")
    (host / "cgroup.procs").write_text(str(os.getpid()))
    slow, free = host / "slow", host / "free"
    slow.mkdir()
    (slow / "cgroup.type").write_text("threaded")
    parent = (host / "cgroup.type").read_text().strip()
    free.mkdir()
    born = (free / "cgroup.type").read_text().strip()
    (free / "cgroup.type").write_text("threaded")
    (host / "cgroup.subtree_control").write_text("+cpu")
    tell("threaded", parent=parent, born=born)

    threads = spinner(), spinner()
    for group, thread in zip((slow, free), threads, strict=True):
        (group / "cgroup.threads").write_text(str(thread))
    (slow / "cpu.max").write_text("2000 10000")
    tell("raw quota", shares=shares(threads, SECONDS))
    os._exit(0)  # the threads never end by themselves


if __name__ == "__main__":
    main()
