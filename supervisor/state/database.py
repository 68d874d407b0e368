"""The database of a host's state: opened, checked, read and changed. One thread only."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import Self

from supervisor.state.errors import StoreError, corrupt, from_os, from_sqlite
from supervisor.state.records import (
    BLOCK_COLUMNS,
    RECORD_COLUMNS,
    TASK_COLUMNS,
    Row,
    StoredBlock,
    StoredRecord,
    StoredTask,
)
from supervisor.state.schema import prepare

NAME = "state.sqlite"
# During a hand-over two processes write; each holds the lock for one small commit.
BUSY_S = 5.0


class Database:
    """Every change is one transaction, on the disk when the method returns. All methods raise StoreError."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / NAME
        with self._told():
            self._make_private()
            # autocommit: a statement alone is a transaction; the driver begins none of its own.
            self._connection = sqlite3.connect(self.file, timeout=BUSY_S, autocommit=True, check_same_thread=True)
            try:
                self._set_up()
            except BaseException:
                self._connection.close()
                raise

    def close(self) -> None:
        """Folds the journal into the file, if no other process has it open."""
        with self._told():
            self._connection.close()

    def tasks(self) -> list[StoredTask]:
        """All tasks, by label."""
        rows = self._rows(f"SELECT {TASK_COLUMNS} FROM tasks ORDER BY label")  # noqa: S608 a constant
        try:
            return [StoredTask.of(row) for row in rows]
        except (ValueError, RecursionError) as error:
            raise corrupt(self.file, str(error)) from error

    def put(self, task: StoredTask) -> None:
        """Keeps `task` in place of what had its label."""
        self._change(f"INSERT OR REPLACE INTO tasks ({TASK_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?)", task.row())  # noqa: S608

    def set_wanted(self, label: str, wanted: bool) -> None:
        """Whether the task is to run; nothing, if there is none."""
        self._change("UPDATE tasks SET wanted = ? WHERE label = ?", (int(wanted), label))

    def remove(self, label: str) -> None:
        """Forgets the task; nothing, if there is none."""
        self._change("DELETE FROM tasks WHERE label = ?", (label,))

    def records(self) -> list[StoredRecord]:
        """All that is kept of tasks for the cluster, by label."""
        rows = self._rows(f"SELECT {RECORD_COLUMNS} FROM kept ORDER BY label")  # noqa: S608 a constant
        try:
            return [StoredRecord.of(row) for row in rows]
        except (ValueError, RecursionError) as error:
            raise corrupt(self.file, str(error)) from error

    def put_record(self, record: StoredRecord) -> None:
        """Keeps `record` in place of what had its label."""
        self._change(f"INSERT OR REPLACE INTO kept ({RECORD_COLUMNS}) VALUES (?, ?, ?, ?, ?)", record.row())  # noqa: S608

    def remove_records(self, labels: Iterable[str]) -> None:
        """Forgets what is kept of all these labels, all or none."""
        self._change_all("DELETE FROM kept WHERE label = ?", [(each,) for each in labels])

    def blocks(self) -> list[StoredBlock]:
        """All blocks, oldest first; those that have expired too."""
        rows = self._rows(f"SELECT {BLOCK_COLUMNS} FROM blocks ORDER BY since, sources")  # noqa: S608 a constant
        return [StoredBlock(*row) for row in rows]

    def put_block(self, block: StoredBlock) -> None:
        """Keeps `block` in place of what had its sources."""
        self._change(f"INSERT OR REPLACE INTO blocks ({BLOCK_COLUMNS}) VALUES (?, ?, ?, ?, ?)", block.row())  # noqa: S608

    def remove_blocks(self, sources: Iterable[str]) -> None:
        """Forgets the blocks of all these hashes, all or none."""
        self._change_all("DELETE FROM blocks WHERE sources = ?", [(each,) for each in sources])

    def meta(self, key: str) -> str | None:
        """What was put there."""
        rows = self._rows("SELECT value FROM meta WHERE key = ?", (key,))
        return rows[0][0] if rows else None

    def put_meta(self, key: str, value: str) -> None:
        """Keeps a text."""
        self._change("INSERT OR REPLACE INTO meta (key, value) VALUES (?, ?)", (key, value))

    def _make_private(self) -> None:
        """Makes the file for its owner alone, as SQLite would not; the journal's files take over its mode."""
        os.close(os.open(self.file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))

    def _set_up(self) -> None:
        connection = self._connection
        (mode,) = connection.execute("PRAGMA journal_mode = WAL").fetchone()
        if mode != "wal":
            why = "its file system cannot share memory between processes"
            raise StoreError(self.file, why, "set stateDir to a folder on a local disk")
        connection.execute("PRAGMA synchronous = FULL")  # what was said to be applied is so after a power cut too
        connection.execute("PRAGMA trusted_schema = OFF")  # a file that somebody prepared runs nothing of theirs
        # Milliseconds for thousands of tasks; a page that is damaged must not be found by half a start.
        problems = [str(row[0]) for row in connection.execute("PRAGMA integrity_check(3)")]
        if problems != ["ok"]:
            raise corrupt(self.file, "; ".join(problems))
        prepare(connection, self.file)

    def _rows(self, statement: str, values: Row = ()) -> list[Row]:
        with self._told():
            return self._connection.execute(statement, values).fetchall()

    def _change(self, statement: str, values: Row) -> None:
        with self._told():
            self._connection.execute(statement, values)

    def _change_all(self, statement: str, rows: Iterable[Row]) -> None:
        with self._told():
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                self._connection.executemany(statement, rows)
                self._connection.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:  # a full disk may have rolled it back already
                    self._connection.execute("ROLLBACK")
                raise

    def _told(self) -> _Told:
        return _Told(self.file)


class _Told:
    """Turns what SQLite and the system raise into StoreErrors."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if isinstance(error, sqlite3.DatabaseError):
            raise from_sqlite(self._file, error) from error
        if isinstance(error, OSError):
            raise from_os(self._file, error) from error
