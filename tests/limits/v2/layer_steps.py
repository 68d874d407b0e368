"""Runs in the guest: the layer over cgroupspy, one call after the other."""

from __future__ import annotations

import os
from pathlib import Path

from supervisor.limits.cgroups.files import Group2
from tests.limits.v2.measuring import shares, spinner, tell

ROOT = Path("/sys/fs/cgroup")
SECONDS = 3.0


def main() -> None:
    """Quotas and weights of two threads."""
    (ROOT / "cgroup.subtree_control").write_text("+cpu")
    top = ROOT / "layer"
    top.mkdir()
    (top / "cgroup.procs").write_text(str(os.getpid()))
    host = Group2(top)
    threads = spinner(), spinner()
    groups = [host.child(name) for name in ("one", "two")]
    for group, thread in zip(groups, threads, strict=True):
        group.make()
        group.add(thread)
    host.control()
    tell("layer", parent=host.read("cgroup.type").strip(), types=[each.read("cgroup.type").strip() for each in groups])

    one, two = groups
    one.limit(0.2)
    first = shares(threads, SECONDS)
    one.limit(0.5)
    second = shares(threads, SECONDS)
    one.limit(None)
    tell("layer quotas", at_20=first, at_50=second, throttled_s=one.throttled_s(), free_s=two.throttled_s())

    for each in threads:
        os.sched_setaffinity(each, {0})
    one.weigh(1024)
    two.weigh(3 * 1024)
    tell("layer weights", shares=shares(threads, SECONDS), weight=two.read("cpu.weight").strip())
    os._exit(0)  # the threads never end by themselves


if __name__ == "__main__":
    main()
