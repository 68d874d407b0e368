"""All that a host keeps of tasks: as their owner, as their guardian, and a day long as neither.

What is kept of a task that is no longer this host's matter tells hosts that were away that they are out of date.
Memory changes at once, so that no other call can come between a judgement and its note; the disk follows, and nobody
is told before it has.
"""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Set as AbstractSet

from supervisor.cluster.guardians import union
from supervisor.cluster.ports import Kept, Local
from supervisor.cluster.promises import Entry
from supervisor.cluster.rules import Rules
from supervisor.cluster.values import Mode, Record


class Ledger:
    """The entries of one host, by label and by owner."""

    def __init__(self, me: str, local: Local) -> None:
        self._me = me
        self._local = local
        self._entries: dict[str, Entry] = {}
        self._by_owner: dict[str, dict[str, None]] = {}  # ordered, so that a run can be repeated
        self._kept_at: dict[str, float] = {}
        self.changes = 0  # so many records and promises were kept
        self.strict: set[str] = set()  # labels of this host's tasks that need a lease

    async def load(self, now: float) -> None:
        """Takes what was kept before this process started."""
        for kept in await self._local.load():
            entry = self.entry(kept.label)
            entry.promised, entry.claimant = kept.promised, kept.claimant
            self._put(entry, kept.record, now)

    def get(self, label: str) -> Entry | None:
        """What is kept of a task, if anything."""
        return self._entries.get(label)

    def record(self, label: str) -> Record | None:
        """The newest record of a task, if there is one."""
        entry = self._entries.get(label)
        return None if entry is None else entry.record

    def entry(self, label: str) -> Entry:
        """What is kept of a task; an empty entry if nothing was."""
        entry = self._entries.get(label)
        if entry is None:
            entry = self._entries[label] = Entry(label)
        return entry

    async def put(self, record: Record, now: float) -> None:
        """Keeps it in the place of the one before. The caller made sure that it is the newer one."""
        self._put(self.entry(record.label), record, now)
        await self._save(record.label)

    async def promise(self, label: str, epoch: int, claimant: str, now: float) -> None:
        """Keeps a promise."""
        entry = self.entry(label)
        entry.promised, entry.claimant, entry.promised_at = epoch, claimant, now
        self.changes += 1
        self._kept_at[label] = now
        await self._save(label)

    def promised(self, label: str) -> int:
        """The highest epoch of a task that this host promised, itself included; 0: none."""
        entry = self._entries.get(label)
        return 0 if entry is None else entry.promised

    def end_lease(self, label: str) -> None:
        """This host has no copy that runs by its own lease."""
        entry = self._entries.get(label)
        if entry is not None and entry.leased_to == self._me:
            entry.leased_until = 0.0

    def owned(self) -> Iterator[Record]:
        """The tasks of this host, without those that were removed."""
        return map(self._known, self.labels_of(self._me))

    def owns(self, label: str) -> Record | None:
        """The task's record, if it is this host's and was not removed."""
        record = self.record(label)
        return record if record is not None and record.owner == self._me and not record.removed else None

    def labels_of(self, owner: str) -> AbstractSet[str]:
        """The tasks that host owns, as far as is known here; none that were removed: a copy of those ends."""
        return self._by_owner.get(owner, _NOTHING).keys()

    def owners(self) -> AbstractSet[str]:
        """Ids of the hosts that own any of them."""
        return self._by_owner.keys()

    def guarded(self) -> Iterator[Record]:
        """The records of which this host is a guardian, for other hosts."""
        records = (entry.record for entry in self._entries.values())
        return (each for each in records if each is not None and self._me != each.owner and self._me in union(each))

    def bundles(self) -> set[str]:
        """Digests of the bundles of the tasks that are this host's matter."""
        records = (entry.record for entry in self._entries.values())
        return {record.bundle for record in records if record is not None and record.bundle is not None}

    def tombstones(self) -> Iterator[Record]:
        """What was removed."""
        return (entry.record for entry in self._entries.values() if entry.record is not None and entry.record.removed)

    async def sweep(self, now: float, rules: Rules) -> None:
        """Forgets what is no longer this host's matter, and what was removed, a day after."""
        for label in [label for label, at in self._kept_at.items() if now - at >= rules.tombstone_s]:
            record = self.record(label)
            if record is None or not record.exists or not (self._me == record.owner or self._me in union(record)):
                self._drop(label)
                await self._local.forget(label)

    def _known(self, label: str) -> Record:
        record = self._entries[label].record
        assert record is not None
        return record

    def _put(self, entry: Entry, record: Record | None, now: float) -> None:
        if entry.record is not None:
            self._leave_owner(entry.record)
        entry.record = record
        if record is not None and not record.owner and record.epoch == entry.leased_epoch:
            entry.leased_until = 0.0  # whoever had the lease gave the task up
        self.changes += 1
        self._kept_at[entry.label] = now
        if record is not None and record.exists:
            self._by_owner.setdefault(record.owner, {})[record.label] = None
            if record.owner == self._me and record.mode is Mode.STRICT:
                self.strict.add(record.label)

    def _leave_owner(self, record: Record) -> None:
        labels = self._by_owner.get(record.owner, {})
        labels.pop(record.label, None)
        self.strict.discard(record.label)
        if not labels:
            self._by_owner.pop(record.owner, None)

    def _drop(self, label: str) -> None:
        entry = self._entries.pop(label)
        self._kept_at.pop(label, None)
        if entry.record is not None:
            self._leave_owner(entry.record)

    async def _save(self, label: str) -> None:
        entry = self._entries[label]
        await self._local.keep(Kept(entry.record, label, entry.promised, entry.claimant))


_NOTHING: dict[str, None] = {}
