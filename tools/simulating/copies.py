"""Which copies of tasks run where: the truth that the rules are judged by."""

from __future__ import annotations

from collections import defaultdict

from supervisor.cluster.values import Mode, Record
from tools.simulating.loop import VirtualTime


class Copies:
    """All copies, and what was measured about them. Times are virtual seconds."""

    def __init__(self, time: VirtualTime) -> None:
        self._time = time
        self.running: dict[str, dict[str, float]] = defaultdict(dict)  # label -> host -> since
        self.overlaps: list[float] = []  # how long two copies ran, of best-effort tasks
        self.late_overlaps: list[float] = []  # how long of that was after the latest disturbance
        self.disturbed_at = 0.0
        self.absences: list[float] = []  # how long a task that had run did not
        self.double_strict: list[str] = []  # strict tasks of which two copies ran, in words
        self._doubled: dict[str, float] = {}
        self._absent: dict[str, float] = {}
        self._forgotten: set[str] = set()

    def began(self, host: str, record: Record) -> None:
        """A copy answers."""
        hosts = self.running[record.label]
        if host in hosts:
            return
        if hosts and record.mode is Mode.STRICT:
            self.double_strict.append(f"{self._time.now:.1f} s: {record.label} on {sorted(hosts)} and {host}")
        if hosts:
            self._doubled.setdefault(record.label, self._time.now)
        since = self._absent.pop(record.label, None)
        if since is not None:
            self.absences.append(self._time.now - since)
        hosts[host] = self._time.now

    def ended(self, host: str, label: str) -> None:
        """A copy is no more."""
        hosts = self.running[label]
        if hosts.pop(host, None) is None:
            return
        if len(hosts) == 1 and label in self._doubled:
            since = self._doubled.pop(label)
            self.overlaps.append(self._time.now - since)
            self.late_overlaps.append(self._time.now - max(since, self.disturbed_at))
        if not hosts:
            self._doubled.pop(label, None)
            if label not in self._forgotten:
                self._absent[label] = self._time.now

    def forget(self, label: str) -> None:
        """Nobody wants it any more: its absence is not one."""
        self._forgotten.add(label)
        self._absent.pop(label, None)
