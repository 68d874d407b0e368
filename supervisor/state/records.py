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

    def row(self) -> Row:
        """Its columns, in the order of TASK_COLUMNS. TypeError or ValueError: not settings as JSON has them."""
        settings = json.dumps(self.settings, separators=(",", ":"), allow_nan=False)
        return (self.label, settings, self.bundle, int(self.wanted), self.revision, self.applied)

    @classmethod
    def of(cls, row: Row) -> StoredTask:
        """The task of a row. ValueError: the row cannot have been written by us."""
        label, text, bundle, wanted, revision, applied = row
        settings = json.loads(text)
        if not isinstance(settings, dict):
            raise ValueError(f"the settings of task {label} are no object")  # noqa: TRY004 the row is wrong, not a type
        return cls(label, settings, bundle, bool(wanted), revision, applied)


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


TASK_COLUMNS = "label, settings, bundle, wanted, revision, applied"
BLOCK_COLUMNS = "sources, task, reason, since, until"
