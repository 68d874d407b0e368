"""Groups of threads for isolates: a sustained quota for each that has one, and one group for all others.

    <the process's own group>            the loop, the watchdog, V8's helpers: each counts as a thread
      isolated-<pid>-<start>             all isolates; together they count as one thread on each core
        rest                             those without a quota; counts as many threads as are in it
        <number>-<task>                  one with a quota

So what the loop needs is there at once however many isolates spin: beside them it is one of two, not one of twenty.
"""

from __future__ import annotations

import contextlib
import errno
import os
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from typing import Self

from supervisor.limits.cgroups.files import SHARES, Group, Group1, Group2
from supervisor.limits.cgroups.leftovers import process_name, remove_leftovers, task_name
from supervisor.limits.cgroups.mounts import Absent, Hierarchy, find_hierarchy
from supervisor.spec.enforcement import QUOTA, Enforcement

REST = "rest"
CLOSE_S = 0.5  # for threads that are ending; those that are parked never do


@dataclass(frozen=True, slots=True)
class QuotaUsage:
    """What a quota did to an isolate."""

    periods: int = 0  # in which it ran
    throttled: int = 0  # of those: in which it used its quota up
    throttled_s: float = 0.0  # for how long it stood still


class Placed:
    """An isolate's thread in its group."""

    __slots__ = ("_group", "_left", "_owner")

    def __init__(self, owner: CpuGroups, group: Group | None) -> None:
        self._owner = owner
        self._group = group  # None: in `rest`
        self._left = False

    def usage(self) -> QuotaUsage | None:
        """None: it has no quota. 0.05 ms."""
        if self._group is None:
            return None
        try:
            found = self._group.stat()
            return QuotaUsage(found.get("nr_periods", 0), found.get("nr_throttled", 0), self._group.throttled_s())
        except OSError, ValueError:
            return QuotaUsage()

    def throttled_s(self) -> float:
        """For how long its quota made it stand still; 0 without one. 0.03 ms."""
        usage = self.usage()
        return 0.0 if usage is None else usage.throttled_s

    def leave(self) -> None:
        """Its isolate is over; the group goes as soon as the thread is gone. Again: nothing."""
        if self._left:
            return
        self._left = True
        if self._group is None:
            self._owner.note_rest(-1)
        else:
            self._owner.drop(self._group)


class CpuGroups:
    """The groups of this process; without a usable cgroup tree it is there too, and holds nothing.

    One thread at a time, and not the loop's: moving a thread to another group waits for a grace period of the kernel
    (6 ms, and up to 20, measured on 6.18 at rest), and whoever makes or removes a group meanwhile waits as well. rest()
    and note_rest() are for the loop: they make no thread move.
    """

    def __init__(self, top: Group | None, enforcement: Enforcement, home: Group | None = None) -> None:
        self.enforcement = enforcement
        self._top = top
        self._home = home  # the process's own
        self._breeding: list[int] = []
        self._rest = None if top is None else top.child(REST)
        self._numbers = count(1)
        self._living: list[Group] = []
        self._leaving: deque[Group] = deque()
        self._resting = 0
        self._weight = 1
        self.on_leaving: Callable[[], None] = _nothing  # a group could not be removed yet: sweep() soon

    @classmethod
    def open(cls, found: Hierarchy | Absent | None = None) -> Self:
        """Makes our groups, after what dead processes left is gone. Nothing is raised: `enforcement` tells."""
        found = found or find_hierarchy()
        if isinstance(found, Absent):
            return cls(None, Enforcement(QUOTA, None, found.problem, found.remedy))
        try:
            return cls(_make(found), Enforcement(QUOTA, str(found)), _kind(found)(found.own))
        except OSError as error:
            return cls(None, _refused(found, error))

    @property
    def active(self) -> bool:
        """Whether isolates are put into groups here."""
        return self._top is not None

    def breed(self, thread_id: int) -> None:
        """Moves a thread to those without a quota: the threads that it starts are born there. OSError."""
        if self._rest is not None:
            self._rest.add(thread_id)
            self._breeding.append(thread_id)

    def rest(self) -> Placed:
        """One more thread was born there."""
        self.note_rest(1)
        return Placed(self, None)

    def place(self, label: str, thread_id: int, quota: float) -> Placed | None:
        """Puts a thread into a group with a quota; None: there are no groups. OSError: the quota cannot be held now."""
        if self._top is None:
            return None
        self.sweep()
        group = self._top.child(task_name(next(self._numbers), label))
        group.make()
        try:
            group.limit(quota)
            group.add(thread_id)
        except BaseException:
            self.drop(group)
            raise
        self._living.append(group)
        return Placed(self, group)

    def note_rest(self, change: int) -> None:
        """So many more share `rest`. Its weight follows in powers of two: a write for every isolate would be many."""
        self._resting += change
        weight = 1 << max(0, self._resting - 1).bit_length()
        if weight != self._weight and self._rest is not None:
            self._weight = weight
            try:
                self._rest.weigh(SHARES * weight)
            except OSError:
                return  # it is a matter of fairness, not of limits

    def drop(self, group: Group) -> None:
        """Removes a group, now or when its last thread is gone."""
        if group in self._living:
            self._living.remove(group)
        if not _removed(group):
            self._leaving.append(group)
            self.on_leaving()

    @property
    def leaving(self) -> int:
        """How many groups could not be removed yet."""
        return len(self._leaving)

    def sweep(self) -> None:
        """Tries again to remove groups that are left; at most two of them, so that no call takes long."""
        for _ in range(min(2, len(self._leaving))):
            group = self._leaving.popleft()
            if not _removed(group):
                self._leaving.append(group)

    def close(self) -> None:
        """Removes what can be removed; threads that stay for ever keep their group, and their quota, until the
        process is gone: the next one's open() finds it."""
        if self._top is None or self._rest is None:
            return
        for thread in self._breeding:
            with contextlib.suppress(OSError):  # it is over
                if self._home is not None:
                    self._home.add(thread)
        deadline = time.monotonic() + CLOSE_S
        for group in (*self._leaving, *self._living, self._rest, self._top):
            while not _removed(group) and time.monotonic() < deadline:
                time.sleep(CLOSE_S / 50)  # threads end some milliseconds after their isolates


def foreseen_quota() -> Enforcement:
    """What open() would find, as far as that can be told without making a group."""
    found = find_hierarchy()
    if isinstance(found, Absent):
        return Enforcement(QUOTA, None, found.problem, found.remedy)
    if os.access(found.own, os.W_OK):
        return Enforcement(QUOTA, str(found))
    read_only = os.statvfs(found.own).f_flag & os.ST_RDONLY
    return _refused(found, OSError(errno.EROFS if read_only else errno.EACCES, "it cannot be written"))


def _nothing() -> None:
    """Nobody sweeps."""


def _make(found: Hierarchy) -> Group:
    remove_leftovers(found.own)
    top = _kind(found)(found.own / process_name(os.getpid()))
    if isinstance(top, Group2):
        Group2(found.own).control()
    top.make()
    try:
        top.weigh(SHARES * (os.cpu_count() or 1))
        if isinstance(top, Group2):
            top.control()
        top.child(REST).make()
        _try_quota(top)
    except BaseException:
        _removed(top.child(REST))
        _removed(top)
        raise
    return top


def _kind(found: Hierarchy) -> type[Group1 | Group2]:
    return Group1 if found.version == 1 else Group2


def _try_quota(top: Group) -> None:
    """Kernels without CONFIG_CFS_BANDWIDTH have groups and no quotas."""
    trial = top.child("trial")
    trial.make()
    try:
        trial.limit(0.5)
    finally:
        trial.remove()


def _removed(group: Group) -> bool:
    try:
        group.remove()
    except FileNotFoundError:
        return True
    except OSError as error:
        return error.errno not in (errno.EBUSY, errno.ENOTEMPTY)
    return True


def _refused(found: Hierarchy, error: OSError) -> Enforcement:
    where = f"{found} ({error.strerror or error})"
    if error.errno == errno.ENOENT:
        return Enforcement(QUOTA, None, f"this kernel has no quotas: {where}", "a kernel with CONFIG_CFS_BANDWIDTH")
    if error.errno == errno.EROFS:
        return Enforcement(
            QUOTA, None, f"read-only: {where}", f"mount it for writing: `mount -o remount,rw {found.own}`"
        )
    remedy = "run the host as root, or give it its group: `chown` its folder; systemd: Delegate=yes in the unit"
    return Enforcement(QUOTA, None, f"no groups can be made in {where}", remedy)
