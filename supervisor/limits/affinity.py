"""Which cores this machine has and a thread of this process may use."""

from __future__ import annotations

import os
from pathlib import Path

from supervisor.spec.cores import Cores, parse_cores

_ONLINE = Path("/sys/devices/system/cpu/online")


def this_machine(thread: int = 0) -> Cores:
    """The cores as the kernel tells them now for a thread, 0 is the caller's.

    Without sysfs, the allowed ones count as all there are.
    """
    allowed = frozenset(os.sched_getaffinity(thread))
    try:
        online = parse_cores(_ONLINE.read_text())
    except OSError, ValueError:
        online = allowed
    return Cores(online=online | allowed, allowed=allowed)
