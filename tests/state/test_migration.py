"""A file of an older version: everything in it is there in the new tables."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest

from supervisor.state import schema
from supervisor.state.records import StoredBlock, StoredRecord, StoredTask
from supervisor.state.store import Store

TASK = StoredTask("shop", {"taskId": "shop", "env": {"A": "\u00fc"}}, "ab" * 32, False, 3, 1.25)
BLOCK = StoredBlock("cd" * 16, "shop", "unresponsive", 10.5, 20.25)

# What the first version made and wrote: written out, for the code that did so is gone.
FIRST = (
    """CREATE TABLE tasks (label TEXT NOT NULL PRIMARY KEY, settings TEXT NOT NULL, bundle TEXT, wanted INTEGER
        NOT NULL, revision INTEGER NOT NULL, applied REAL NOT NULL) STRICT, WITHOUT ROWID""",
    """CREATE TABLE blocks (sources TEXT NOT NULL PRIMARY KEY, task TEXT NOT NULL, reason TEXT NOT NULL,
        since REAL NOT NULL, until REAL NOT NULL) STRICT, WITHOUT ROWID""",
    "CREATE TABLE meta (key TEXT NOT NULL PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID",
    "PRAGMA application_id = 1769172844",
    "PRAGMA user_version = 1",
)
PUT_TASK = "INSERT OR REPLACE INTO tasks (label, settings, bundle, wanted, revision, applied) VALUES (?, ?, ?, ?, ?, ?)"


@pytest.fixture
def first(tmp_path: Path) -> Path:
    """A file of the first version with something in each table."""
    file = tmp_path / "state.sqlite"
    connection = sqlite3.connect(file, autocommit=True)
    for statement in FIRST:
        connection.execute(statement)
    connection.execute(PUT_TASK, TASK.row()[:6])
    connection.execute("INSERT INTO blocks VALUES (?, ?, ?, ?, ?)", BLOCK.row())
    connection.execute("INSERT INTO meta VALUES ('events', '7')")
    connection.close()
    return file


async def test_tasks_blocks_and_texts_are_kept(first: Path) -> None:
    for _ in range(2):
        async with await Store.open(first.parent) as store:
            assert await store.tasks() == [TASK]  # of the first epoch
            assert await store.blocks() == [BLOCK]
            assert await store.get_meta("events") == "7"
            await store.put_record(StoredRecord("shop", {}, 0, "", 1.0))
            assert await store.records() == [StoredRecord("shop", {}, 0, "", 1.0)]
    connection = sqlite3.connect(first)
    assert connection.execute("PRAGMA user_version").fetchone() == (schema.VERSION,)
    connection.close()


async def test_a_predecessor_of_the_first_version_goes_on_writing_during_a_hand_over(first: Path) -> None:
    predecessor = sqlite3.connect(first, autocommit=True)
    assert predecessor.execute("SELECT count(*) FROM tasks").fetchone() == (1,)
    async with await Store.open(first.parent) as store:
        predecessor.execute(PUT_TASK, (*TASK.row()[:4], 4, 2.0))
        predecessor.execute("UPDATE tasks SET wanted = 1")
        assert await store.tasks() == [replace(TASK, revision=4, applied=2.0, wanted=True)]
    predecessor.close()


async def test_a_step_that_fails_leaves_the_old_version_as_it_was(first: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = dump(first)
    old, new = schema._STEPS[0], schema._STEPS[1]
    monkeypatch.setattr(schema, "_STEPS", (old, (*new, "this is no SQL")))
    with pytest.raises(Exception, match="syntax error"):
        await Store.open(first.parent)
    assert dump(first) == before


def dump(file: Path) -> list[str]:
    connection = sqlite3.connect(file)
    lines = [*connection.iterdump(), str(connection.execute("PRAGMA user_version").fetchone())]
    connection.close()
    return lines
