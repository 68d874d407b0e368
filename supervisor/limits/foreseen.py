"""Which limits of tasks a host could hold that was started here, by this user: found out without changing anything."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable

from supervisor.limits.cgroups import foreseen_quota
from supervisor.limits.shaping.netlink import probe_htb
from supervisor.spec.enforcement import EGRESS, EVERYWHERE, Enforcement, completed

LOOPBACK = 1  # its index in every network namespace
_EGRESS_LACKS = {
    errno.EPERM: ("this user has no CAP_NET_ADMIN", "start the daemon as root or give it the capability CAP_NET_ADMIN"),
    errno.ENOENT: ("this kernel has no HTB (sch_htb)", "`modprobe sch_htb`, or a kernel with CONFIG_NET_SCH_HTB"),
}


def foreseen(probe: Callable[[int], int] = probe_htb) -> tuple[Enforcement, ...]:
    """One for each limit that needs the kernel. Waits for the kernel, a millisecond or so.

    `probe` is asked whether an interface could have a root of HTB: 0 or an errno.
    """
    return completed((*EVERYWHERE, foreseen_quota(), _egress(probe)))


def _egress(probe: Callable[[int], int]) -> Enforcement:
    try:
        number = probe(LOOPBACK)
    except OSError as error:
        why = f"the kernel's traffic control does not answer: {os.strerror(error.errno or errno.EIO)}"
        return Enforcement(EGRESS, None, why, "allow netlink sockets")
    if number in _EGRESS_LACKS:
        return Enforcement(EGRESS, None, *_EGRESS_LACKS[number])
    return Enforcement(EGRESS, "HTB classes on the interfaces that carry a task's traffic, by SO_PRIORITY")
