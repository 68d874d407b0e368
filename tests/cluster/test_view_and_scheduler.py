"""What a view tells, what changed between two of them, and asyncio as a scheduler."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from supervisor.cluster.scheduler import AsyncioScheduler
from supervisor.cluster.values import HostState, MemberState
from supervisor.cluster.view import Changes, View, changes
from tests.fakes.cluster import member
from tests.fakes.virtual_time import on_virtual_time


def test_a_view_sorts_its_hosts_and_knows_whether_it_sees_most_of_them() -> None:
    view = View([
        member("a", boot_time=1.0),
        member("b", boot_time=2.0, state=HostState.DRAINING),
        member("c", alive=MemberState.FAILED),
        member("d", alive=MemberState.LEFT),
    ])  # fmt: skip
    assert [each.id for each in view.alive] == ["b", "a"]
    assert [each.id for each in view.up] == ["a"]
    assert view.guarding == {"a"}
    assert view.draining == {"b"}
    assert view.expected == 3
    assert view.has_majority
    assert not View([member("a"), member("b", alive=MemberState.FAILED)]).has_majority


def test_hosts_that_came_back_or_booted_anew_are_news_and_changed_tags_are_not() -> None:
    stays, back, boots, goes = member("s"), member("b", alive=MemberState.FAILED), member("n"), member("g")
    before = View([stays, back, boots, goes])
    after = View([
        replace(stays, room=False),
        replace(back, alive=MemberState.ALIVE),
        replace(boots, boot_time=9.0),
        replace(goes, alive=MemberState.LEFT),
        member("new"),
    ])  # fmt: skip
    assert changes(before, after) == Changes(frozenset({"b", "n", "new"}), frozenset({"g"}))


@on_virtual_time
async def test_all_run_to_their_ends_before_the_first_error_is_raised() -> None:
    scheduler = AsyncioScheduler(lambda *_: None)
    ended: list[str] = []

    async def fails() -> None:
        raise ValueError("first")

    async def takes_long() -> None:
        await scheduler.sleep(5.0)
        ended.append("long")

    began = scheduler.now()
    with pytest.raises(ValueError, match="first"):
        await scheduler.together(fails(), takes_long())
    assert ended == ["long"]
    assert scheduler.now() - began >= 5.0


@on_virtual_time
async def test_what_ends_by_an_error_is_told_and_what_is_cancelled_is_not() -> None:
    told: list[str] = []
    scheduler = AsyncioScheduler(lambda what, details: told.append(f"{what} {details['error']}"))

    async def fails() -> None:
        raise ValueError("why")

    scheduler.start(fails())
    scheduler.start(scheduler.sleep(10.0)).cancel()
    await asyncio.sleep(1.0)
    assert told == ["defect ValueError('why')"]
