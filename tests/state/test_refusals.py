"""What the disk refuses is told with the file and a remedy, and changes nothing."""

from __future__ import annotations

import asyncio
import errno
import json
import os
import shutil
import sqlite3
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from supervisor.control.problems import response_of, view_of
from supervisor.errors import ControlError
from supervisor.state import database
from supervisor.state.errors import StoreError, from_os, from_sqlite
from supervisor.state.lock import StateLock
from supervisor.state.records import StoredBlock, StoredRecord, StoredTask
from supervisor.state.schema import VERSION
from supervisor.state.store import Store

TASK = StoredTask("shop", {"taskId": "shop"}, None, True, 1, 1.0)
ROOT = Path(__file__).parents[2]


async def refusal(folder: Path, lock_fd: int | None = None) -> StoreError:
    with pytest.raises(StoreError) as caught:
        await Store.open(folder, lock_fd)
    assert caught.value.remedy
    assert (caught.value.exit_code, caught.value.status) == (1, 500)
    assert isinstance(caught.value, ControlError)
    return caught.value


async def filled(folder: Path, tasks: int = 50) -> Path:
    async with await Store.open(folder) as store:
        for number in range(tasks):
            await store.put(replace(TASK, label=str(number), settings={"env": {"A": "x" * 500}}))
    return folder / "state.sqlite"


def sql(file: Path, *statements: str) -> None:
    connection = sqlite3.connect(file, autocommit=True)
    for statement in statements:
        connection.execute(statement)
    connection.close()


async def test_a_damaged_file(tmp_path: Path) -> None:
    file = await filled(tmp_path)
    async with await Store.open(tmp_path) as store:
        tasks = await store.tasks()
    data = file.read_bytes()
    told = 0
    for offset in [0, 20, 100, *range(500, len(data), 1000)]:
        file.write_bytes(data[:offset] + b"\xa5" * 700 + data[offset + 700 :])
        try:
            async with await Store.open(tmp_path) as store:
                assert await store.tasks() == tasks, offset  # only free space was hit
        except StoreError as error:
            told += 1
            message = str(error)
        assert f"state in {file}: the file is damaged" in message
        assert "backup" in message
    assert told > len(data) / 2000


async def test_a_file_cut_short(tmp_path: Path) -> None:
    file = await filled(tmp_path)
    os.truncate(file, file.stat().st_size // 2)
    assert "damaged" in str(await refusal(tmp_path))


async def test_an_empty_file_is_a_new_one(tmp_path: Path) -> None:
    (tmp_path / "state.sqlite").touch()
    async with await Store.open(tmp_path) as store:
        assert await store.tasks() == []


async def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    (tmp_path / "state.sqlite").write_text("hello, this is a text\n" * 100)
    assert "not a database" in str(await refusal(tmp_path))


async def test_a_newer_version(tmp_path: Path) -> None:
    file = await filled(tmp_path)
    sql(file, f"PRAGMA user_version = {VERSION + 1}")
    error = await refusal(tmp_path)
    assert f"layout {VERSION + 1}; this one knows {VERSION}" in str(error)
    sql(file, f"PRAGMA user_version = {VERSION}")
    async with await Store.open(tmp_path) as store:
        assert len(await store.tasks()) == 50


@pytest.mark.parametrize("statement", ["CREATE TABLE t (a)", "PRAGMA application_id = 5", "PRAGMA user_version = 1"])
async def test_a_database_of_another_program(tmp_path: Path, statement: str) -> None:
    sql(tmp_path / "state.sqlite", "PRAGMA page_size = 4096", statement)
    assert "another program" in str(await refusal(tmp_path))


@pytest.mark.parametrize("text", ["{", "[]", "[" * 100_000, "'\"'"])
async def test_settings_that_were_tampered_with(tmp_path: Path, text: str) -> None:
    file = await filled(tmp_path, 3)
    sql(file, f"UPDATE tasks SET settings = '{text.replace("'", "''")}' WHERE label = '1'")
    async with await Store.open(tmp_path) as store:
        with pytest.raises(StoreError, match="damaged"):
            await store.tasks()


@pytest.mark.parametrize("text", ["{", "[]", "[" * 100_000, "null x"])
async def test_records_that_were_tampered_with(tmp_path: Path, text: str) -> None:
    async with await Store.open(tmp_path) as store:
        await store.put_record(StoredRecord("shop", {}, 1, "a", 1.0))
    sql(tmp_path / "state.sqlite", f"UPDATE kept SET record = '{text}'")
    async with await Store.open(tmp_path) as store:
        with pytest.raises(StoreError, match="damaged"):
            await store.records()


async def test_two_hosts_cannot_share_a_folder(tmp_path: Path) -> None:
    async with await Store.open(tmp_path):
        error = await refusal(tmp_path)
        assert f"another host uses this folder (process {os.getpid()})" in str(error)
    await (await Store.open(tmp_path)).close()


async def test_a_successor_shares_the_lock_and_keeps_it(tmp_path: Path) -> None:
    old = await Store.open(tmp_path)
    new = await Store.open(tmp_path, os.dup(old.lock_fd))
    await old.put(TASK)
    await new.put(replace(TASK, label="other"))
    assert await old.tasks() == await new.tasks()
    await old.close()
    assert "another host" in str(await refusal(tmp_path))
    assert len(await new.tasks()) == 2
    await new.close()
    await (await Store.open(tmp_path)).close()


async def test_the_lock_of_another_folder_is_none(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "lock").touch()
    lock = StateLock.take(tmp_path / "a")
    assert "not this folder's" in str(await refusal(tmp_path / "b", lock.fd))
    assert "Bad file descriptor" in str(await refusal(tmp_path / "b", 9999))
    lock.close()
    lock.close()


async def test_a_lock_file_with_nonsense_in_it(tmp_path: Path) -> None:
    lock = StateLock.take(tmp_path)
    for text in (b"\xff" * 20, b"4194305             ", b"../../etc/passwd    "):
        (tmp_path / "lock").write_bytes(text)
        assert str(await refusal(tmp_path)).splitlines()[0].endswith("another host uses this folder")
    lock.close()


async def test_a_lock_file_that_is_a_link(tmp_path: Path) -> None:
    (tmp_path / "lock").symlink_to(tmp_path / "elsewhere")
    assert "lock" in str(await refusal(tmp_path))
    assert not (tmp_path / "elsewhere").exists()


async def test_a_folder_that_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for folder in (tmp_path / "file", tmp_path / "file" / "below"):
        assert "set stateDir to a folder" in str(await refusal(folder))


async def test_another_program_in_the_middle_of_a_change(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = await filled(tmp_path, 3)
    monkeypatch.setattr(database, "BUSY_S", 0.05)
    async with await Store.open(tmp_path) as store:
        other = sqlite3.connect(file, autocommit=True)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreError, match="locked"):
            await store.put(TASK)
        with pytest.raises(StoreError, match="locked"):
            await store.remove_blocks(["a"])
        assert len(await store.tasks()) == 3
        other.execute("ROLLBACK")
        await store.put(TASK)
        other.close()


async def test_blocks_go_all_or_none(tmp_path: Path) -> None:
    async with await Store.open(tmp_path) as store:
        for sources in ("a", "b", "c"):
            await store.put_block(StoredBlock(sources, "shop", "aborted", 1.0, 2.0))
        keeps = (
            "CREATE TRIGGER keep BEFORE DELETE ON blocks WHEN old.sources = 'b' BEGIN SELECT RAISE(ABORT, 'no'); END"
        )
        sql(tmp_path / "state.sqlite", keeps)
        with pytest.raises(StoreError):
            await store.remove_blocks(["a", "b", "c"])
        assert len(await store.blocks()) == 3
        await store.put(TASK)
        assert await store.tasks() == [TASK]


async def test_records_go_all_or_none(tmp_path: Path) -> None:
    async with await Store.open(tmp_path) as store:
        for label in ("a", "b", "c"):
            await store.put_record(StoredRecord(label, None, 1, "host", 1.0))
        keeps = "CREATE TRIGGER keep BEFORE DELETE ON kept WHEN old.label = 'b' BEGIN SELECT RAISE(ABORT, 'no'); END"
        sql(tmp_path / "state.sqlite", keeps)
        with pytest.raises(StoreError):
            await store.remove_records(["a", "b", "c"])
        assert len(await store.records()) == 3


async def test_old_layouts_are_brought_up_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from supervisor.state import schema

    file = await filled(tmp_path, 3)
    steps = (*schema._STEPS, ("ALTER TABLE tasks ADD COLUMN extra TEXT", "this is no SQL"))
    monkeypatch.setattr(schema, "_STEPS", steps)
    monkeypatch.setattr(schema, "VERSION", VERSION + 1)
    await refusal(tmp_path)
    monkeypatch.setattr(schema, "_STEPS", (*steps[:-1], steps[-1][:1]))
    async with await Store.open(tmp_path) as store:
        assert len(await store.tasks()) == 3
    connection = sqlite3.connect(file)
    assert "extra" in [row[1] for row in connection.execute("PRAGMA table_info(tasks)")]
    assert connection.execute("PRAGMA user_version").fetchone() == (VERSION + 1,)
    connection.close()


def in_mount(options: str, folder: Path, script: str) -> str:
    """Runs a script where `folder` is a file system of its own, mounted with `options`."""
    unshare = ["unshare", "--mount", "--map-root-user"]
    if shutil.which("unshare") is None or subprocess.run([*unshare, "true"], check=False).returncode:
        pytest.skip("this system lets nobody make a mount namespace")
    mount = f'mount {options} "$1" && shift && exec "$@"'
    command = [*unshare, "sh", "-c", mount, "sh", str(folder), sys.executable, "-c", script, str(folder)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=240)
    if "mount:" in done.stderr:
        pytest.skip(f"this system mounts nothing: {done.stderr}")
    assert done.returncode == 0, done.stderr
    return done.stdout


FULL = """
import asyncio, sys
from pathlib import Path
from supervisor.state.errors import StoreError
from supervisor.state.records import StoredBlock, StoredTask
from supervisor.state.store import Store

async def main(folder):
    store = await Store.open(folder)
    kept = 0
    try:
        while kept < 10_000:
            await store.put(StoredTask(str(kept), {"env": "x" * 20_000}, None, True, 1, 1.0))
            kept += 1
    except StoreError as error:
        print(error)
    assert 0 < kept < 10_000
    assert len(await store.tasks()) == kept
    try:
        await store.close()
    except StoreError as error:
        print("at the end:", error)
    try:
        async with await Store.open(folder) as store:
            assert len(await store.tasks()) == kept
    except StoreError as error:
        print("again:", error)

asyncio.run(main(Path(sys.argv[1])))
"""


def test_a_full_disk(tmp_path: Path) -> None:
    told = in_mount("-t tmpfs -o size=1m none", tmp_path, FULL)
    assert "disk is full" in told
    assert "free some space" in told


READ_ONLY = """
import asyncio, sys
from pathlib import Path
from supervisor.state.bundles import Bundles
from supervisor.state.errors import StoreError
from supervisor.state.store import Store

for attempt in (lambda folder: asyncio.run(Store.open(folder)), lambda folder: Bundles(folder / "bundles")):
    try:
        attempt(Path(sys.argv[1]))
    except StoreError as error:
        print(error)
"""


def test_a_disk_mounted_read_only(tmp_path: Path) -> None:
    told = in_mount("-t tmpfs -o ro none", tmp_path, READ_ONLY)
    assert told.count("Read-only file system") == 2
    assert told.count("mount that disk writable") == 2


def test_a_folder_that_may_not_be_written(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    # In a user namespace of its own even root has no rights beyond its files' modes.
    command = ["unshare", "--user", sys.executable, "-c", READ_ONLY, str(tmp_path)]
    if shutil.which("unshare") is None or subprocess.run(["unshare", "--user", "true"], check=False).returncode:
        pytest.skip("this system lets nobody make a user namespace")
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=240)
    assert done.stdout.count("Permission denied") == 2
    assert done.stdout.count("write to the folder") == 2


async def test_rows_are_read_in_a_thread_of_its_own(tmp_path: Path) -> None:
    async with await Store.open(tmp_path) as store:
        ticks = 0
        reading = asyncio.ensure_future(store.tasks())
        while not reading.done():
            ticks += 1
            await asyncio.sleep(0)
        assert ticks > 0


def sqlite_error(code: int) -> sqlite3.DatabaseError:
    error = sqlite3.OperationalError("what it says")
    error.sqlite_errorcode = code
    return error


@pytest.mark.parametrize(
    ("code", "status", "kind", "retry"),
    [
        (sqlite3.SQLITE_FULL, 507, "disk-full", None),
        (sqlite3.SQLITE_BUSY, 503, "store-busy", "1"),
        (sqlite3.SQLITE_BUSY_SNAPSHOT, 503, "store-busy", "1"),
        (sqlite3.SQLITE_LOCKED, 503, "store-busy", "1"),
        (sqlite3.SQLITE_CORRUPT, 500, "store-corrupt", None),
        (sqlite3.SQLITE_NOTADB, 500, "store-corrupt", None),
        (sqlite3.SQLITE_IOERR, 500, "store", None),
        (sqlite3.SQLITE_READONLY, 500, "store", None),
    ],
)
def test_what_clients_are_told_of_it(code: int, status: int, kind: str, retry: str | None) -> None:
    answer = response_of(from_sqlite(Path("/state.sqlite"), sqlite_error(code)))
    assert (answer.status, answer.content_type) == (status, "application/problem+json")
    assert answer.headers.get("Retry-After") == retry
    assert isinstance(answer.body, bytes)
    told = json.loads(answer.body)
    assert (told["status"], told["kind"]) == (status, kind)
    assert told["remedy"]


@pytest.mark.parametrize(
    ("number", "status", "kind"),
    [
        (errno.ENOSPC, 507, "disk-full"), (errno.EDQUOT, 507, "disk-full"),
        (errno.EACCES, 500, "store"), (errno.EIO, 500, "store"),
    ],
)  # fmt: skip
def test_what_clients_are_told_of_the_systems_errors(number: int, status: int, kind: str) -> None:
    told = view_of(from_os(Path("/state"), OSError(number, "x")))
    assert (told.status, told.kind) == (status, kind)
