"""Courses of events after which a task stayed down, though there were hosts that could run it: it comes back."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import pytest

from supervisor.cluster import applying
from supervisor.cluster.placing import NotPlaced, Placed
from supervisor.cluster.ports import Silent
from supervisor.cluster.values import (
    Claim,
    HostState,
    Member,
    MemberState,
    Mode,
    Needs,
    Promised,
    Record,
    Withheld,
)
from tests.fakes.cluster import FakeCluster, wanted
from tests.fakes.courses import come_back, cut, join, known, notice, now, placed, set_boots_fail
from tests.fakes.virtual_time import on_virtual_time

MODES = pytest.mark.parametrize("mode", list(Mode))


async def down_s(cluster: FakeCluster, most_s: float) -> float:
    """How long it takes until the task runs; fails after so long."""
    began = now()
    while not cluster.running("task"):
        await asyncio.sleep(1)
        assert now() - began < most_s
    return now() - began


@on_virtual_time
async def test_after_a_restart_failed_and_one_of_its_guardians_went_for_good() -> None:
    cluster = FakeCluster("a", "b", "c", "o")
    await cluster.start()
    assert (await placed(cluster, "a")).owner == "o"
    await asyncio.sleep(60)
    set_boots_fail(cluster, "its port is in use")
    await cluster.crash("o")
    await asyncio.sleep(45)
    record = await known(cluster, "a")
    assert record.owner == ""
    await cluster.crash(record.guardians[0])
    set_boots_fail(cluster, None)
    await asyncio.sleep(5)
    await come_back(cluster, "o")
    await down_s(cluster, 120)
    await cluster.close()


@MODES
def test_after_all_hosts_lost_power_and_its_owner_lost_its_memory(mode: Mode) -> None:
    @on_virtual_time
    async def course() -> None:
        cluster = FakeCluster("a", "b", "c", "d", "e")
        await cluster.start()
        owner = (await placed(cluster, "a", mode=mode)).owner
        await asyncio.sleep(60)
        for host in list(cluster.coordinators):
            await cluster.coordinators.pop(host).close()
            cluster.machines[host].running.clear()
        cluster.machines[owner].disk.clear()
        for age, host in enumerate(cluster.machines):
            cluster.members[host] = replace(cluster.members[host], boot_time=1000.0 + age)
        await asyncio.sleep(5)
        await cluster.start()
        await down_s(cluster, 60)
        await cluster.close()

    course()


@on_virtual_time
async def test_though_the_guardian_that_promised_it_to_somebody_else_is_gone() -> None:
    cluster = FakeCluster("a", "b")
    await cluster.start()
    outcome = await cluster.coordinators["a"].apply(wanted("task", needs=Needs(1, hosts=("b",))))
    assert isinstance(outcome, Placed)
    await asyncio.sleep(60)
    await cluster.crash("b")
    await asyncio.sleep(60)  # a claims it, though it may run on b alone
    cluster.members["b"] = replace(cluster.members["b"], alive=MemberState.ALIVE, since=now())
    await cluster.start("b")
    await cluster.crash("a")
    await down_s(cluster, 120)
    await cluster.close()


@on_virtual_time
async def test_though_a_guardian_dies_soon_after_the_others_came_back() -> None:
    cluster = FakeCluster("a", "b", "c", "d", "e")
    await cluster.start()
    record = await placed(cluster, "a")
    assert record.owner == "e"
    await asyncio.sleep(60)
    for host in "bcd":
        cluster.see(host, state=HostState.DRAINING)
    await asyncio.sleep(15)
    assert (await known(cluster, "e")).guardians == ("a",)
    for host in "bcd":
        cluster.see(host, state=HostState.UP)
    await asyncio.sleep(8)
    await cluster.crash("a")
    await asyncio.sleep(120)
    assert cluster.running("task") == ["e"]
    await cluster.close()


@on_virtual_time
async def test_and_of_two_copies_one_ends_though_another_task_of_that_host_boots_for_long() -> None:
    cluster = FakeCluster(*"abcdefghij", memory=1000)
    await cluster.start()
    owner = (await placed(cluster, "a", mode=Mode.BEST_EFFORT)).owner
    big = wanted("big", needs=Needs(1, hosts=(owner,)))
    assert isinstance(await cluster.coordinators["a"].apply(big), Placed)
    await asyncio.sleep(60)
    machine = cluster.machines[owner]
    boot = machine.boot

    async def boots(record: Record, sources: Sequence[Member]) -> None:
        if record.label == "big":
            await asyncio.sleep(600)
        await boot(record, sources)

    machine.boot = boots  # type: ignore[method-assign]
    others = [host for host in cluster.machines if host != owner]
    await cluster.coordinators.pop(owner).close()
    machine.running.clear()
    await cluster.start(owner)
    await asyncio.sleep(5)
    cut(cluster, [owner], others)
    notice(cluster, [owner], others)
    await asyncio.sleep(100)
    assert len(cluster.running("task")) == 2
    cluster.cut.clear()
    cluster.see(owner, alive=MemberState.ALIVE)
    await asyncio.sleep(30)
    assert len(cluster.running("task")) == 1
    await cluster.close()


@on_virtual_time
async def test_and_hosts_are_not_kept_busy_with_one_that_cannot() -> None:
    cluster = FakeCluster(*"abcdefgh", memory=1000)
    await cluster.start()
    owner = (await placed(cluster, "a")).owner
    await asyncio.sleep(60)
    guardians = (await known(cluster, owner)).guardians
    for host in guardians[:2]:
        await cluster.crash(host)
    await asyncio.sleep(900)
    assert cluster.running("task") == []
    calls = Counter[str]()
    wire = cluster.wires[owner]
    guard = wire.guard

    async def guards(to: Member, record: Record) -> object:
        calls["guard"] += 1
        return await guard(to, record)

    wire.guard = guards  # type: ignore[method-assign, assignment]
    await asyncio.sleep(3600)
    assert calls["guard"] < 1000  # one in four seconds, to whom it would have and to those before
    await cluster.close()


@MODES
def test_a_task_that_nobody_guards_and_whose_owner_forgot_it_can_be_applied_again_and_removed(mode: Mode) -> None:
    @on_virtual_time
    async def course() -> None:
        cluster = FakeCluster("a", "b")
        await cluster.start()
        assert (await placed(cluster, "a", mode=mode)).owner == "b"
        await asyncio.sleep(60)
        record = replace(await known(cluster, "a"), revision=9, guardians=())
        assert await cluster.coordinators["a"].door.guard(record) is None  # b sees nobody who could
        cluster.machines["b"].disk.clear()
        await cluster.crash("b")
        await come_back(cluster, "b")
        assert cluster.running("task") == []
        assert isinstance(await cluster.coordinators["a"].apply(wanted("task", mode=mode, v=2)), Placed)
        assert len(cluster.running("task")) == 1
        assert isinstance(await cluster.coordinators["a"].remove("task"), Placed)
        assert cluster.running("task") == []
        await cluster.close()

    course()


@on_virtual_time
async def test_after_its_only_guardian_did_not_bring_it_up_and_its_owner_could_not_take_it_back() -> None:
    cluster = FakeCluster("a", "b")
    await cluster.start()
    record = await placed(cluster, "a")
    assert (record.owner, record.guardians) == ("b", ("a",))
    await asyncio.sleep(60)
    cluster.machines["a"].boot_problem = "its port is in use"
    wire = cluster.wires["b"]
    ask, until = wire.claim, now() + 30

    async def claims(to: Member, claim: Claim) -> Promised | Withheld:
        if claim.epoch > record.epoch + 1 and now() < until:
            raise Silent
        return await ask(to, claim)

    wire.claim = claims  # type: ignore[method-assign]
    await cluster.coordinators["b"].drain(0)
    assert (await known(cluster, "a")).owner == ""
    await cluster.coordinators["b"].resume()
    cluster.machines["a"].boot_problem = None
    await down_s(cluster, 200)
    await cluster.close()


@on_virtual_time
async def test_soon_after_its_owner_started_again_in_a_move_that_had_not_begun() -> None:
    cluster = FakeCluster("a", "b", "c", "o")
    await cluster.start()
    assert (await placed(cluster, "a")).owner == "o"
    await asyncio.sleep(60)
    await cluster.coordinators.pop("o").close()
    machine = cluster.machines["o"]
    machine.running.clear()
    kept = machine.disk["task"]
    assert kept.record is not None
    machine.disk["task"] = replace(kept, promised=kept.record.epoch + 1, claimant="o")  # claimed, and not used
    await cluster.start("o")
    await down_s(cluster, 10)
    await cluster.close()


@MODES
def test_once_though_it_moved_a_moment_before_a_user_changed_it(mode: Mode) -> None:
    @on_virtual_time
    async def course() -> None:
        cluster = FakeCluster("a", "b")
        await cluster.start()
        assert (await placed(cluster, "a", mode=mode)).owner == "b"
        await asyncio.sleep(60)
        stale = replace(await known(cluster, "b"), guardians=(), previous=())
        assert await cluster.coordinators["b"].drain(30) == {}
        assert cluster.running("task") == ["a"]
        changed = replace(wanted("task", mode=mode, v=2), needs=stale.needs)
        await join(cluster, "c")
        outcome = await applying._apply(cluster.coordinators["c"]._shared, stale, changed)
        assert isinstance(outcome, NotPlaced)
        assert outcome.newer is not None
        assert outcome.newer.owner == "a"
        assert cluster.running("task") == ["a"]
        await cluster.close()

    course()
