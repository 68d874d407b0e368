"""The tables, and how those of an older version become those of this one."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from supervisor.state.errors import StoreError

APPLICATION_ID = 0x69736F6C  # "isol": marks the file as ours, also for file(1)

# Each step leads from the version that is its index to the next. Only ever appended to: hosts have the old ones.
_STEPS: tuple[tuple[str, ...], ...] = (
    (
        """CREATE TABLE tasks (
            label TEXT NOT NULL PRIMARY KEY,
            settings TEXT NOT NULL,
            bundle TEXT,
            wanted INTEGER NOT NULL,
            revision INTEGER NOT NULL,
            applied REAL NOT NULL
        ) STRICT, WITHOUT ROWID""",
        """CREATE TABLE blocks (
            sources TEXT NOT NULL PRIMARY KEY,
            task TEXT NOT NULL,
            reason TEXT NOT NULL,
            since REAL NOT NULL,
            until REAL NOT NULL
        ) STRICT, WITHOUT ROWID""",
        "CREATE TABLE meta (key TEXT NOT NULL PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID",
    ),
    (
        "ALTER TABLE tasks ADD COLUMN epoch INTEGER NOT NULL DEFAULT 1",
        """CREATE TABLE kept (
            label TEXT NOT NULL PRIMARY KEY,
            record TEXT,
            promised INTEGER NOT NULL,
            claimant TEXT NOT NULL,
            since REAL NOT NULL
        ) STRICT, WITHOUT ROWID""",
    ),
)
VERSION = len(_STEPS)


def prepare(connection: sqlite3.Connection, file: Path) -> None:
    """Makes the tables, or brings them up to this version, all or nothing. StoreError: not ours, or newer."""
    version = _number(connection, "user_version")
    _check_ours(connection, file, version)
    if version == VERSION:
        return
    connection.execute("BEGIN IMMEDIATE")
    try:
        version = _number(connection, "user_version")  # another process may just have done it
        for step in _STEPS[version:]:
            for statement in step:
                connection.execute(statement)
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {VERSION}")
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def _check_ours(connection: sqlite3.Connection, file: Path, version: int) -> None:
    mark = _number(connection, "application_id")
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
    if mark != APPLICATION_ID and (mark or version or tables):
        raise StoreError(file, "it is the database of another program", "set stateDir to a folder of its own")
    if not 0 <= version <= VERSION:
        why = f"it was written by a newer version of isolated (layout {version}; this one knows {VERSION})"
        raise StoreError(file, why, "start that version or a newer one; `isolated version` tells which this is")


def _number(connection: sqlite3.Connection, pragma: str) -> int:
    (value,) = connection.execute(f"PRAGMA {pragma}").fetchone()
    return int(value)
