"""What is put into the store is there after the process has ended, in the order of the calls."""

from __future__ import annotations

import asyncio
import os
import stat
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from supervisor.state.database import Database
from supervisor.state.errors import StoreError
from supervisor.state.records import StoredBlock, StoredRecord, StoredTask
from supervisor.state.store import Store

TASK = StoredTask("shop", {"taskId": "shop", "env": {"A": "ü\0\ud800"}, "args": [1, 2.5]}, "ab" * 32, True, 3, 1.25, 2)
BLOCK = StoredBlock("cd" * 16, "shop", "unresponsive", 10.5, 20.25)
RECORD = StoredRecord("shop", {"label": "shop", "settings": {"env": {"A": "ü\0\ud800"}}}, 7, "host-1", 30.5)


async def test_everything_is_there_again(tmp_path: Path) -> None:
    async with await Store.open(tmp_path / "a" / "b") as store:
        await store.put(TASK)
        await store.put(replace(TASK, label="7", bundle=None, wanted=False))
        await store.put_block(BLOCK)
        await store.put_record(RECORD)
        await store.put_record(StoredRecord("7", None, 2**53, "host-2", 1.0))
        await store.put_meta("handovers", "4")
    async with await Store.open(tmp_path / "a" / "b") as store:
        assert await store.tasks() == [replace(TASK, label="7", bundle=None, wanted=False), TASK]
        assert await store.blocks() == [BLOCK]
        assert await store.records() == [StoredRecord("7", None, 2**53, "host-2", 1.0), RECORD]
        assert await store.get_meta("handovers") == "4"
        assert await store.get_meta("other") is None


async def test_changes(tmp_path: Path) -> None:
    async with await Store.open(tmp_path) as store:
        await store.put(TASK)
        await store.put(replace(TASK, revision=4))
        await store.set_wanted("shop", False)
        assert await store.tasks() == [replace(TASK, revision=4, wanted=False)]
        await store.set_wanted("nobody", True)
        await store.remove("nobody")
        assert len(await store.tasks()) == 1
        await store.remove("shop")
        assert await store.tasks() == []
        await store.put_meta("a", "1")
        await store.put_meta("a", "2")
        assert await store.get_meta("a") == "2"


async def test_blocks_come_oldest_first_and_go_together(tmp_path: Path) -> None:
    async with await Store.open(tmp_path) as store:
        for sources, since in (("c", 3.0), ("a", 1.0), ("b", 2.0)):
            await store.put_block(replace(BLOCK, sources=sources, since=since))
        await store.put_block(replace(BLOCK, sources="a", since=4.0))
        assert [block.sources for block in await store.blocks()] == ["b", "c", "a"]
        await store.remove_blocks(["a", "b", "unknown"])
        await store.remove_blocks([])
        assert [block.sources for block in await store.blocks()] == ["c"]


async def test_what_is_kept_for_the_cluster_is_replaced_and_forgotten(tmp_path: Path) -> None:
    async with await Store.open(tmp_path) as store:
        await store.put_record(RECORD)
        await store.put_record(replace(RECORD, record=None, promised=8, claimant="host-2"))
        assert await store.records() == [replace(RECORD, record=None, promised=8, claimant="host-2")]
        await store.put_record(replace(RECORD, label="other"))
        await store.remove_records(["shop", "unknown"])
        await store.remove_records([])
        assert await store.records() == [replace(RECORD, label="other")]


async def test_calls_are_carried_out_in_order_also_when_nobody_waits(tmp_path: Path) -> None:
    async with await Store.open(tmp_path) as store:
        calls = [asyncio.ensure_future(store.put(replace(TASK, revision=n))) for n in range(1, 50)]
        await asyncio.sleep(0)
        for call in calls:
            call.cancel()
        assert (await store.tasks())[0].revision == 49
        late = asyncio.ensure_future(store.put(replace(TASK, revision=99)))
        await asyncio.sleep(0)
        late.cancel()
    async with await Store.open(tmp_path) as store:
        assert (await store.tasks())[0].revision == 99


async def test_an_opening_that_nobody_waits_for_leaves_the_folder_free(tmp_path: Path) -> None:
    opening = asyncio.ensure_future(Store.open(tmp_path))
    await asyncio.sleep(0)
    opening.cancel()
    with pytest.raises(asyncio.CancelledError):
        await opening
    async with asyncio.timeout(60):
        while (store := await opened(tmp_path)) is None:  # the other is still at it
            await asyncio.sleep(0.01)
    await store.close()


async def opened(folder: Path) -> Store | None:
    try:
        return await Store.open(folder)
    except StoreError:
        return None


async def test_a_closed_store_says_so(tmp_path: Path) -> None:
    store = await Store.open(tmp_path)
    await store.close()
    await store.close()
    with pytest.raises(RuntimeError, match="closed"):
        await store.tasks()


async def test_settings_that_are_not_json_change_nothing(tmp_path: Path) -> None:
    async with await Store.open(tmp_path) as store:
        await store.put(TASK)
        for value in (float("nan"), {1, 2}, b"x"):
            with pytest.raises((TypeError, ValueError)):
                await store.put(replace(TASK, settings={"env": value}))
        with pytest.raises(ValueError, match="JSON"):
            await store.put_record(replace(RECORD, record={"a": float("inf")}))
        assert await store.tasks() == [TASK]
        assert await store.records() == []


async def test_secrets_are_for_the_owner_alone(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        async with await Store.open(tmp_path / "new") as store:
            await store.put(TASK)
            modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in (tmp_path / "new").iterdir()}
            assert modes == {"lock": 0o600, "state.sqlite": 0o600, "state.sqlite-wal": 0o600, "state.sqlite-shm": 0o600}
            assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o700
    finally:
        os.umask(before)
    assert "env" not in repr(TASK)
    assert "env" not in repr(RECORD)


async def test_closing_leaves_one_file_to_back_up(tmp_path: Path) -> None:
    async with await Store.open(tmp_path) as store:
        await store.put(TASK)
    assert sorted(os.listdir(tmp_path)) == ["lock", "state.sqlite"]


def test_a_change_is_on_the_disk_itself_before_it_counts(tmp_path: Path) -> None:
    database = Database(tmp_path)
    full = 2  # SQLite's number for it
    assert database._connection.execute("PRAGMA synchronous").fetchone() == (full,)
    assert database._connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    database.close()


json_values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@settings(
    max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], deadline=None
)
@given(content=st.dictionaries(st.text(), json_values, max_size=5))
def test_any_settings_come_back_as_they_were(tmp_path: Path, content: dict[str, Any]) -> None:
    async def there_and_back() -> tuple[StoredTask, StoredRecord]:
        async with await Store.open(tmp_path) as store:
            await store.put(replace(TASK, settings=content))
            await store.put_record(replace(RECORD, record=content))
            return (await store.tasks())[0], (await store.records())[0]

    task, record = asyncio.run(there_and_back())
    assert task.settings == record.record == content
    assert list(task.settings) == list(record.record or {}) == list(content)
