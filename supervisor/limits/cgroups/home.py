"""A group for the whole process where it could make none once its rights are given up."""

from __future__ import annotations

import contextlib
import os
import stat

from supervisor.limits.cgroups.files import SHARES, Group1, Group2
from supervisor.limits.cgroups.mounts import Absent, Hierarchy, find_hierarchy

HOME = "isolated"
OWN_THREADS = 2  # the loop and what works for it, beside the isolates


def move_home(found: Hierarchy | Absent | None = None) -> None:
    """Moves this process into a group of its own, if its present one is a tree's root: nobody may write there.

    A root has mode 0555; the right that root passes it with (CAP_DAC_OVERRIDE) is about to be dropped. The group stays
    when the process ends, for the next one. Nothing is raised: whoever makes groups later says
    what is wrong. Before there are threads.
    """
    found = found or find_hierarchy()
    with contextlib.suppress(OSError):
        if isinstance(found, Absent) or found.own.stat().st_mode & stat.S_IWUSR:
            return
        if found.version == 2:
            Group2(found.own).control()
        home = found.own / HOME
        home.mkdir(exist_ok=True)
        kind = Group1 if found.version == 1 else Group2
        kind(home).weigh(SHARES * ((os.cpu_count() or 1) + OWN_THREADS))
        (home / "cgroup.procs").write_text(str(os.getpid()))
