"""What the store keeps, as values, and as the rows that they are in the database."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

type Row = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class StoredTask:
    """A task as it was applied."""

    label: str  # its id as a text
    settings: dict[str, Any] = field(repr=False)  # the task file's content, `pwd` resolved; `env` may hold secrets
    bundle: str | None  # digest of the bundle that its files came in; None: they are in a folder of this host
    wanted: bool  # False: stopped by an operator
    revision: int  # counts changes, from 1
    applied: float  # seconds since 1970
    epoch: int = 1  # counts the hosts that it was placed on, one after the other

    def row(self) -> Row:
        """Its columns, in the order of TASK_COLUMNS. TypeError or ValueError: not settings as JSON has them."""
        settings = _text(self.settings)
        return (self.label, settings, self.bundle, int(self.wanted), self.revision, self.applied, self.epoch)

    @classmethod
    def of(cls, row: Row) -> StoredTask:
        """The task of a row. ValueError: the row cannot have been written by us."""
        label, text, bundle, wanted, revision, applied, epoch = row
        settings = json.loads(text)
        if not isinstance(settings, dict):
            raise ValueError(f"the settings of task {label} are no object")  # noqa: TRY004 the row is wrong, not a type
        return cls(label, settings, bundle, bool(wanted), revision, applied, epoch)


@dataclass(frozen=True, slots=True)
class StoredRecord:
    """What this host keeps of a task for the cluster: its newest record, and which epoch was promised to whom."""

    label: str
    record: dict[str, Any] | None = field(repr=False)  # as hosts tell it each other; None: only promised so far
    promised: int  # the highest epoch that was promised; 0: none
    claimant: str  # id of the host that it was promised to; '': none
    since: float  # when it was kept, seconds since 1970

    def row(self) -> Row:
        """Its columns, in the order of RECORD_COLUMNS. TypeError or ValueError: not a record as JSON has it."""
        record = None if self.record is None else _text(self.record)
        return (self.label, record, self.promised, self.claimant, self.since)

    @classmethod
    def of(cls, row: Row) -> StoredRecord:
        """The one of a row. ValueError: the row cannot have been written by us."""
        label, text, promised, claimant, since = row
        record = None if text is None else json.loads(text)
        if not isinstance(record, dict | None):
            raise ValueError(f"the record of task {label} is no object")  # noqa: TRY004 the row is wrong, not a type
        return cls(label, record, promised, claimant, since)


@dataclass(frozen=True, slots=True)
class StoredBlock:
    """A script that is not started again for now."""

    sources: str  # the hash of its sources, hex
    task: str  # label of the task that ran it
    reason: str  # what it did: an ExitReason's value
    since: float  # seconds since 1970
    until: float  # seconds since 1970

    def row(self) -> Row:
        """Its columns, in the order of BLOCK_COLUMNS."""
        return (self.sources, self.task, self.reason, self.since, self.until)


TASK_COLUMNS = "label, settings, bundle, wanted, revision, applied, epoch"
RECORD_COLUMNS = "label, record, promised, claimant, since"
BLOCK_COLUMNS = "sources, task, reason, since, until"


def _text(value: dict[str, Any]) -> str:
    return json.dumps(value, separators=(",", ":"), allow_nan=False)
