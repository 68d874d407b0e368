"""Ends what may not run on this host, and boots what should: looked at every second.

A copy that is superseded, or whose lease is over, ends; a task of this host that does not run, though it may, boots.
None waits for another, or else one slow boot would keep a strict task alive beyond its lease. What does not boot is
tried again, later and later; if that is not its program's fault, another host gets it. A boot that failed may have
left something, which would go on by itself: it ends like a copy.
"""

from __future__ import annotations

from supervisor.cluster.leasing import may_run, sources
from supervisor.cluster.moving import move
from supervisor.cluster.ports import BootFailed
from supervisor.cluster.securing import end_copy
from supervisor.cluster.shared import Shared
from supervisor.cluster.values import Cause

BOOT_AGAIN_S = 10.0  # after a boot failed; then twice as long, up to
BOOT_AGAIN_MOST_S = 300.0


class Righting:
    """The copies of one host. Loop thread."""

    def __init__(self, shared: Shared) -> None:
        self._shared = shared
        self._ending: set[str] = set()
        self._booting: set[str] = set()
        self._failures: dict[str, tuple[float, float]] = {}  # label -> when to boot it again, and how long it waits

    def look(self) -> None:
        """Starts what has to be done."""
        shared = self._shared
        owned = shared.ledger.labels_of(shared.me)
        is_as_owned = owned == shared.runs
        ending = set() if is_as_owned else shared.runs - owned
        ending.update(label for label in shared.ledger.strict if label in shared.runs and not may_run(shared, label))
        ending.update(label for label in self._failures if not may_run(shared, label))
        for label in sorted(ending - self._ending):
            self._ending.add(label)
            shared.scheduler.start(self._end(label))
        for label in () if is_as_owned else sorted(owned - shared.runs):
            if len(self._booting) >= shared.rules.restarts:
                return
            if label not in self._booting and self._is_time(label) and may_run(shared, label):
                self._booting.add(label)
                shared.scheduler.start(self._boot(label))

    def _is_time(self, label: str) -> bool:
        return self._shared.now >= self._failures.get(label, (0.0, 0.0))[0]

    async def _end(self, label: str) -> None:
        shared = self._shared
        try:
            is_taken = shared.is_taken(label)
            if is_taken:  # whoever has its turn may wait for others, and for longer than the lease runs elsewhere
                await shared.local.stop(label)
            async with shared.turn(label):
                if (label in shared.runs or label in self._failures) and not may_run(shared, label):
                    await end_copy(shared, label)
                    self._failures.pop(label, None)
                elif is_taken:
                    shared.runs.discard(label)  # its lease is back: it is booted again
        finally:
            self._ending.discard(label)

    async def _boot(self, label: str) -> None:
        shared = self._shared
        try:
            async with shared.turn(label):
                record = shared.ledger.owns(label)
                if record is None or label in shared.runs or not may_run(shared, label):
                    return
                shared.admission.insist(label, record.epoch, record.needs)
                await shared.local.boot(record, sources(shared, record))
                shared.runs.add(label)
                self._failures.pop(label, None)
                if not may_run(shared, label):
                    await end_copy(shared, label)
        except BootFailed as problem:
            await self._failed(label, problem)
        finally:
            self._booting.discard(label)

    async def _failed(self, label: str, problem: BootFailed) -> None:
        shared = self._shared
        _, waited_s = self._failures.get(label, (0.0, 0.0))
        wait_s = min(BOOT_AGAIN_MOST_S, 2 * waited_s or BOOT_AGAIN_S)
        self._failures[label] = shared.now + wait_s, wait_s
        shared.notice("boot-failed", {"label": label, "problem": str(problem)})
        if waited_s and problem.cause is not Cause.PROGRAM and await move(shared, label) is None:
            self._failures.pop(label, None)
