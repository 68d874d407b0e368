"""Courses of events in which a change that a user was told is done was undone later: it never is."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from supervisor.cluster.placing import NotPlaced, Placed
from supervisor.cluster.promises import given_up
from supervisor.cluster.values import Cause, Claim, MemberState, Mode, Promised
from tests.fakes.cluster import FakeCluster, wanted
from tests.fakes.courses import (
    come_back,
    cut,
    fails_behind_a_cut,
    join,
    known,
    notice,
    now,
    placed,
    set_boots_fail,
)
from tests.fakes.virtual_time import on_virtual_time

MODES = pytest.mark.parametrize("mode", list(Mode))


def versions(cluster: FakeCluster) -> list[int]:
    """Which version each copy runs."""
    running = [machine.running.get("task") for machine in cluster.machines.values()]
    return [record.settings["v"] for record in running if record is not None]


async def changed(cluster: FakeCluster, at: str, mode: Mode) -> bool:
    """A user applies v=2; whether that is said to be done."""
    return isinstance(await cluster.coordinators[at].apply(wanted("task", mode=mode, v=2)), Placed)


@MODES
def test_though_an_owner_of_before_comes_back_while_it_is_down(mode: Mode) -> None:
    @on_virtual_time
    async def course() -> None:
        cluster = FakeCluster("a", "b", "c", "d", "e")
        await cluster.start()
        first = await placed(cluster, "a", mode=mode)
        await asyncio.sleep(60)
        await cluster.crash(first.owner)
        await asyncio.sleep(60)
        (second,) = cluster.running("task")
        assert await changed(cluster, "a", mode)
        await asyncio.sleep(30)
        await cluster.crash(second)
        set_boots_fail(cluster, "its port is in use")
        await asyncio.sleep(45)
        set_boots_fail(cluster, None)
        await come_back(cluster, first.owner)
        await asyncio.sleep(600)
        assert versions(cluster) == [2]
        await come_back(cluster, second)
        await asyncio.sleep(900)
        assert versions(cluster) == [2]
        await cluster.close()

    course()


@MODES
def test_though_its_owner_had_tried_other_guardians_before_it_started_again(mode: Mode) -> None:
    @on_virtual_time
    async def course() -> None:
        cluster = FakeCluster("a", "b", "o")
        await cluster.start()
        assert (await placed(cluster, "a", mode=mode)).owner == "o"
        await asyncio.sleep(60)
        cut(cluster, "o", "ab")  # it cannot call them, but for x, and all see each other
        await join(cluster, "x")
        await asyncio.sleep(150)
        assert (await known(cluster, "x")).revision > 2
        await cluster.coordinators.pop("o").close()
        cluster.machines["o"].running.clear()
        cluster.cut.clear()
        cut(cluster, "x", "abo")
        await cluster.start("o")
        async with asyncio.timeout(60):
            while not await changed(cluster, "a", mode):
                await asyncio.sleep(1)
        cluster.cut.clear()
        await asyncio.sleep(900)
        assert versions(cluster) == [2]
        await cluster.crash("o")
        await asyncio.sleep(120)
        assert versions(cluster) == [2]
        await cluster.close()

    course()


@MODES
def test_though_a_guardian_that_is_cut_off_has_a_restart_of_before_that_failed(mode: Mode) -> None:
    @on_virtual_time
    async def course() -> None:
        cluster = FakeCluster("a", "b", "o")
        await cluster.start()
        await fails_behind_a_cut(cluster, mode)
        is_done = False
        for _ in range(100):
            await asyncio.sleep(1)
            is_done = is_done or await changed(cluster, "o", mode)
        cluster.cut.clear()
        cut(cluster, "a", "o")
        await asyncio.sleep(90)
        cluster.cut.clear()
        await asyncio.sleep(600)
        assert versions(cluster) == [2 if is_done else 1]
        await cluster.close()

    course()


@on_virtual_time
async def test_though_that_guardian_was_replaced_meanwhile() -> None:
    cluster = FakeCluster("a", "b", "o")
    await cluster.start()
    first = await placed(cluster, "a")
    assert first.owner == "o"
    await asyncio.sleep(60)
    cut(cluster, "o", "ab")
    await asyncio.sleep(25)  # its leases are over, and nobody restarts it yet
    record = await known(cluster, "a")
    for host in "ab":
        promised = await cluster.coordinators[host].door.claim(Claim("task", 2, "a", record.version))
        assert isinstance(promised, Promised)
    assert await cluster.coordinators["a"].door.guard(given_up(replace(record, epoch=2, revision=1))) is None
    await cluster.crash("a")
    cluster.cut.clear()
    is_done = False
    for _ in range(100):
        await asyncio.sleep(1)
        is_done = is_done or await changed(cluster, "o", Mode.STRICT)
    await come_back(cluster, "a")
    await asyncio.sleep(600)
    assert versions(cluster) == [2 if is_done else 1]
    assert await changed(cluster, "a", Mode.STRICT)
    assert versions(cluster) == [2]
    await cluster.close()


@on_virtual_time
async def test_though_it_is_applied_in_vain_beyond_a_partition() -> None:
    cluster = await partitioned()
    outcome = await cluster.coordinators["o"].apply(wanted("task", v=1))
    assert isinstance(outcome, Placed)
    await in_vain_beyond(cluster, Mode.BEST_EFFORT)
    await heal(cluster)
    await asyncio.sleep(300)
    assert versions(cluster) == [1]
    await cluster.close()


@MODES
def test_though_it_was_removed_and_applied_in_vain_where_its_owner_did_not_hear_of_it(mode: Mode) -> None:
    @on_virtual_time
    async def course() -> None:
        cluster = FakeCluster(*"abcdeo")
        await cluster.start()
        assert (await placed(cluster, "a", mode=mode)).owner == "o"
        await asyncio.sleep(60)
        cut(cluster, "o", "abcde")
        notice(cluster, "o", "abcde")
        await asyncio.sleep(25)
        assert isinstance(await cluster.coordinators["a"].remove("task"), Placed)
        await in_vain_beyond(cluster, mode)
        await heal(cluster)
        await asyncio.sleep(300)
        assert versions(cluster) == []
        await cluster.close()

    course()


async def partitioned() -> FakeCluster:
    """Six hosts, three on each side."""
    cluster = FakeCluster(*"abcdeo")
    await cluster.start()
    await asyncio.sleep(60)
    cut(cluster, "abc", "deo")
    notice(cluster, "abc", "deo")
    await asyncio.sleep(40)
    return cluster


async def in_vain_beyond(cluster: FakeCluster, mode: Mode) -> None:
    """A user applies v=2 at host a, and the program throws."""
    for host in "abcde":
        cluster.machines[host].boot_problem, cluster.machines[host].boot_cause = "it throws", Cause.PROGRAM
    outcome = await cluster.coordinators["a"].apply(wanted("task", mode=mode, v=2))
    assert isinstance(outcome, NotPlaced)
    assert outcome.cause is Cause.PROGRAM
    set_boots_fail(cluster, None)


async def heal(cluster: FakeCluster) -> None:
    """All see each other again."""
    cluster.cut.clear()
    for host in cluster.members:
        cluster.members[host] = replace(cluster.members[host], alive=MemberState.ALIVE, since=now())
    cluster.see("o", alive=MemberState.ALIVE)


@pytest.mark.parametrize("starts_again", [False, True])
def test_though_only_a_host_that_is_cut_off_has_what_its_owner_tried_before(*, starts_again: bool) -> None:
    @on_virtual_time
    async def course() -> None:
        cluster = FakeCluster("a", "b", "o")
        await cluster.start()
        assert (await placed(cluster, "a")).owner == "o"
        await asyncio.sleep(60)
        cut(cluster, "o", "ab")  # it cannot call them, but for x, and all see each other
        await join(cluster, "x", room=False)
        await asyncio.sleep(150)
        tried = (await known(cluster, "x")).revision
        assert tried > (await known(cluster, "o")).revision + 1
        cut(cluster, "x", "abo")
        cluster.see("x", alive=MemberState.FAILED)
        if starts_again:
            await cluster.coordinators.pop("o").close()
            cluster.machines["o"].running.clear()
        cluster.cut = {pair for pair in cluster.cut if "x" in pair}
        if starts_again:
            await cluster.start("o")
        while not await changed(cluster, "o", Mode.STRICT):
            await asyncio.sleep(0.1)
        assert (await known(cluster, "o")).revision > tried
        await cluster.crash("o")
        cluster.cut.clear()
        cluster.see("x", alive=MemberState.ALIVE)
        await asyncio.sleep(120)
        assert versions(cluster) == [2]
        await cluster.close()

    course()
