"""A host knows for which images it started again, and when, in the processes that come after it."""

from __future__ import annotations

from pathlib import Path

import pytest

from supervisor.cluster.rules import Rules
from supervisor.host.cluster.updates import WENT_FOR, Updates, went_from
from supervisor.state.errors import StoreError
from supervisor.state.store import Store

DAY_S = Rules().update_again_s
NOON = 1_796_000_000.0


def updates(store: Store, now: float, image: str = "one") -> Updates:
    return Updates(store, image, Rules(), lambda: now)


async def test_it_is_known_to_the_next_process_for_a_day(tmp_path: Path) -> None:
    async with await Store.open(tmp_path) as store:
        await updates(store, NOON).note("two")
        await updates(store, NOON + 60).note("three")
    async with await Store.open(tmp_path) as store:
        assert await updates(store, NOON + 100).in_vain() == {"two": 100.0, "three": 40.0}
        assert await updates(store, NOON + DAY_S).in_vain() == {"three": DAY_S - 60}
        assert await updates(store, NOON + DAY_S + 60).in_vain() == {}


async def test_a_state_that_is_new_knows_nothing_of_it_once(tmp_path: Path) -> None:
    async with await Store.open(tmp_path) as store:
        assert await updates(store, NOON).in_vain() is None
    async with await Store.open(tmp_path) as store:
        assert await updates(store, NOON).in_vain() == {}


async def test_what_is_older_than_a_day_is_dropped_when_another_is_noted(tmp_path: Path) -> None:
    async with await Store.open(tmp_path) as store:
        await updates(store, NOON).note("two")
        await updates(store, NOON + DAY_S).note("three")
        assert went_from(await store.get_meta(WENT_FOR)) == {"three": NOON + DAY_S}


async def test_an_image_that_the_host_got_is_none_that_it_went_for_in_vain(tmp_path: Path) -> None:
    async with await Store.open(tmp_path) as store:
        await updates(store, NOON).note("two")
        assert await updates(store, NOON + 60, "two").in_vain() == {}
        assert await updates(store, NOON + 120, "one").in_vain() == {}  # somebody started it again, with the old one


async def test_a_store_that_cannot_be_written_keeps_no_host_from_its_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fails(key: str, value: str) -> None:
        raise StoreError(tmp_path, f"{key}={value} cannot be written", "make room")

    async with await Store.open(tmp_path) as store:
        await updates(store, NOON).note("two")
        await updates(store, NOON).note("three")
        monkeypatch.setattr(store, "put_meta", fails)
        assert await updates(store, NOON, "two").in_vain() == {"three": 0.0}


async def test_one_attempt_is_forgotten_and_the_others_stay(tmp_path: Path) -> None:
    async with await Store.open(tmp_path) as store:
        await updates(store, NOON).note("two")
        await updates(store, NOON).note("three")
        await updates(store, NOON).forget("three")
        await updates(store, NOON).forget("four")
        assert await updates(store, NOON).in_vain() == {"two": 0.0}


async def test_a_clock_that_was_set_back_makes_it_just_now(tmp_path: Path) -> None:
    async with await Store.open(tmp_path) as store:
        await updates(store, NOON).note("two")
        assert await updates(store, 60.0).in_vain() == {"two": 0.0}
        await updates(store, 60.0).note("three")
        assert await updates(store, 60.0 + DAY_S).in_vain() == {}


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "7", '{"two": "yesterday"}', '{"two": null}', '{"two": 1' + 400 * "0" + "}", 99_999 * "["]
)
async def test_what_cannot_be_read_counts_as_nothing(tmp_path: Path, text: str) -> None:
    async with await Store.open(tmp_path) as store:
        await store.put_meta(WENT_FOR, text)
        assert await updates(store, NOON).in_vain() == {}
        await updates(store, NOON).note("two")
        assert await updates(store, NOON).in_vain() == {"two": 0.0}
