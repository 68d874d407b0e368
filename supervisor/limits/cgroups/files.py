"""cgroupspy with what it lacks: threads one by one, cgroup v2, and making groups without looking at all others.

Its defects, as of 0.2.3, that are worked around here and nowhere else: it knows cgroup v1 only; a list written to
`tasks` is one write, which the kernel refuses; `create_cgroup` looks through all children; `delete_cgroup` and
`set_property` fail for names and values of the other kind of text; `Tree()` walks everything that is mounted.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, ClassVar, Self

from cgroupspy.controllers import Controller
from cgroupspy.interfaces import DictFile, IntegerFile
from cgroupspy.nodes import Node

PERIOD_US = 10_000  # a throttled thread stands still for 8 ms at most at 20 %, not for 80 as with the kernel's 100
QUOTA_MIN_US = 1_000  # the kernel takes no less (kernel/sched/core.c, min_cfs_quota_period)
SHARES_MAX = 2**18  # cgroup v1; v2 ends at weight 10,000, which is 102,400 shares
SHARES = 1024  # what a thread of ordinary priority counts as


def bandwidth_us(quota: float) -> tuple[int, int]:
    """CPU time and period in microseconds for a share of one core; the period grows where the time would be below 1 ms.

    So 20 % is 2,000 of 10,000, and 1 % is 1,000 of 100,000.
    """
    period = max(PERIOD_US, round(QUOTA_MIN_US / quota))
    return max(QUOTA_MIN_US, round(quota * period)), period


class Cpu1(Controller):  # type: ignore[misc]  # cgroupspy has no types
    """The files of cgroup v1's cpu controller that we use."""

    quota_us = IntegerFile("cpu.cfs_quota_us")
    period_us = IntegerFile("cpu.cfs_period_us")
    shares = IntegerFile("cpu.shares")
    stat = DictFile("cpu.stat")


class Cpu2(Controller):  # type: ignore[misc]
    """Those of cgroup v2's."""

    stat = DictFile("cpu.stat")


class Group(Node):  # type: ignore[misc]
    """One group of threads. Blocking; 0.02 to 0.05 ms for each call. OSError from every one.

    The subclasses are the two versions of cgroups.
    """

    CONTROLLER: ClassVar[type[Controller]]
    THREADS: ClassVar[str]

    def __init__(self, path: Path, parent: Self | None = None) -> None:
        self._where = os.fsencode(path)
        super().__init__(self._where if parent is None else os.fsencode(path.name), parent)

    def _get_controller_type(self) -> bytes:
        return b"cpu"

    def _get_controller(self) -> Controller:
        return self.CONTROLLER(self)

    @property
    def place(self) -> Path:
        """Its folder."""
        return Path(os.fsdecode(self._where))

    def child(self, name: str) -> Self:
        """The group `name` in this one, which may not be there."""
        return type(self)(self.place / name, self)

    def make(self) -> None:
        """Makes its folder; FileExistsError."""
        self.place.mkdir()

    def remove(self) -> None:
        """EBUSY: threads are in it, or groups."""
        self.place.rmdir()

    def add(self, thread_id: int) -> None:
        """Moves one thread here. ESRCH: it is over."""
        self.write(self.THREADS, str(thread_id))

    def write(self, file: str, value: str) -> None:
        """One write, as the kernel wants it."""
        with open(self.place / file, "w") as stream:
            stream.write(value)

    def read(self, file: str) -> str:
        """The whole file."""
        return (self.place / file).read_text()

    def stat(self) -> dict[str, int]:
        """cpu.stat."""
        found: dict[str, Any] = self.controller.stat
        return {str(name): int(value) for name, value in found.items()}

    def limit(self, quota: float | None) -> None:
        """A share of one core; None: no limit."""
        raise NotImplementedError

    def weigh(self, shares: int) -> None:
        """How much it gets beside its neighbours where there is not enough for all; 1,024 is one thread's."""
        raise NotImplementedError

    def throttled_s(self) -> float:
        """For how long threads in it had to stand still."""
        raise NotImplementedError


class Group1(Group):
    """cgroup v1."""

    CONTROLLER = Cpu1
    THREADS = "tasks"

    def limit(self, quota: float | None) -> None:
        """See Group."""
        if quota is None:
            self.controller.quota_us = -1
            return
        time_us, period_us = bandwidth_us(quota)
        self.controller.quota_us = -1  # any period goes with that; the old quota may be too large for the new period
        self.controller.period_us = period_us
        self.controller.quota_us = time_us

    def weigh(self, shares: int) -> None:
        """See Group."""
        self.controller.shares = min(shares, SHARES_MAX)

    def throttled_s(self) -> float:
        """See Group."""
        return self.stat().get("throttled_time", 0) / 1e9


class Group2(Group):
    """cgroup v2, in threaded mode."""

    CONTROLLER = Cpu2
    THREADS = "cgroup.threads"

    def make(self) -> None:
        """Every group below a domain is born invalid: it has to be made threaded before its first thread."""
        super().make()
        self.write("cgroup.type", "threaded")

    def limit(self, quota: float | None) -> None:
        """See Group."""
        self.write("cpu.max", "max" if quota is None else "{} {}".format(*bandwidth_us(quota)))

    def weigh(self, shares: int) -> None:
        """See Group. Weight 100 is 1,024 shares."""
        self.write("cpu.weight", str(max(1, min(10_000, round(shares * 100 / SHARES)))))

    def throttled_s(self) -> float:
        """See Group."""
        return self.stat().get("throttled_usec", 0) / 1e6

    def control(self) -> None:
        """Lets the groups in this one have quotas."""
        self.write("cgroup.subtree_control", "+cpu")
