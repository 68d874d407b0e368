"""A host on its way home, and what happens meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace

import pytest

from supervisor.cluster.placing import Placed
from supervisor.cluster.values import (
    Admitted,
    Departure,
    HostState,
    Member,
    MemberState,
    Mode,
    Needs,
    Record,
    Refused,
)
from tests.fakes.cluster import FakeCluster, record, wanted
from tests.fakes.virtual_time import on_virtual_time

STEP_S = 0.2


async def travel(cluster: FakeCluster, seconds: float) -> None:
    """So long all hosts hear what each says about itself, and who has left."""
    for _ in range(round(seconds / STEP_S)):
        await asyncio.sleep(STEP_S)
        for host, coordinator in cluster.coordinators.items():
            member = cluster.members[host]
            if member.alive is MemberState.ALIVE and "leave" in cluster.machines[host].events:
                cluster.see(host, alive=MemberState.LEFT)
            elif member.state is not coordinator.state:
                cluster.see(host, state=coordinator.state)


async def until_it_drains(cluster: FakeCluster, host: str) -> None:
    cluster.machines[host].idle_from = asyncio.get_running_loop().time()
    while cluster.coordinators[host].state is not HostState.DRAINING:
        await travel(cluster, STEP_S)


async def guarding(*hosts: str) -> FakeCluster:
    """Whose newest host has tasks, which the others guard: to hand that over takes a while."""
    cluster = FakeCluster(*hosts)
    await cluster.start()
    for number in range(20):
        assert isinstance(await cluster.coordinators["a"].apply(wanted(f"task-{number}", mode=Mode.STRICT)), Placed)
    await asyncio.sleep(60)
    return cluster


def slow_boots(cluster: FakeCluster, host: str, seconds: float) -> None:
    machine, boot = cluster.machines[host], cluster.machines[host].boot

    async def slow_boot(record: Record, sources: Sequence[Member]) -> None:
        await asyncio.sleep(seconds)
        await boot(record, sources)

    machine.boot = slow_boot  # type: ignore[method-assign]


@on_virtual_time
async def test_a_host_that_crashes_meanwhile_is_not_one_too_many() -> None:
    cluster = await guarding(*"abcd")
    await until_it_drains(cluster, "a")
    await travel(cluster, 2 * cluster.rules.propagation_s + 2)  # it hands over
    await cluster.crash("c")
    await travel(cluster, 600)
    assert "leave" not in cluster.machines["a"].events
    assert cluster.coordinators["a"].state is HostState.UP
    await cluster.close()


@on_virtual_time
async def test_a_host_on_which_a_task_is_being_booted_does_not_go_without_it() -> None:
    cluster = FakeCluster(*"abcdefgh")
    await cluster.start()
    await asyncio.sleep(cluster.rules.age_s)
    slow_boots(cluster, "a", 60)
    applying = asyncio.create_task(cluster.coordinators["b"].apply(wanted("task", needs=Needs(1, hosts=("a",)))))
    await asyncio.sleep(1)
    cluster.machines["a"].idle_from = asyncio.get_running_loop().time() - 2 * cluster.rules.idle_s
    await travel(cluster, 200)
    assert HostState.DRAINING in {state for state, _ in cluster.machines["a"].told}
    assert isinstance(await applying, Placed)
    assert cluster.running("task") == ["a"]
    assert "leave" not in cluster.machines["a"].events
    await cluster.close()


@on_virtual_time
async def test_a_host_that_is_stopped_on_its_way_home_does_not_say_again_that_it_is_up() -> None:
    cluster = await guarding(*"abcdefgh")
    await until_it_drains(cluster, "a")
    cluster.machines["a"].idle_from = None  # so its own attempt fails
    before = len(cluster.machines["a"].told)
    leaving = asyncio.create_task(cluster.coordinators["a"].leave(40))
    while not leaving.done():
        await travel(cluster, STEP_S)
    assert leaving.result() == {}
    assert {state for state, _ in cluster.machines["a"].told[before:]} <= {HostState.DRAINING}
    assert cluster.machines["a"].events.count("leave") == 1
    await cluster.close()


@on_virtual_time
async def test_a_host_that_is_stopped_moves_the_task_that_was_being_booted_there() -> None:
    cluster = FakeCluster(*"abcde")
    await cluster.start()
    slow_boots(cluster, "e", 20)
    applying = asyncio.create_task(cluster.coordinators["b"].apply(wanted("task")))
    await asyncio.sleep(2)
    leaving = asyncio.create_task(cluster.coordinators["e"].leave(40))
    while not leaving.done():
        await travel(cluster, STEP_S)
    assert isinstance(await applying, Placed)
    assert leaving.result() == {}
    assert cluster.machines["e"].events[-2:] == ["stop task", "leave"]
    assert len(cluster.running("task")) == 1
    await cluster.close()


@on_virtual_time
async def test_a_machine_that_cannot_be_switched_off_comes_back_and_says_why() -> None:
    cluster = FakeCluster(*"abcde")
    cluster.machines["a"].power_problem = "no right to do that"
    await cluster.start()
    await until_it_drains(cluster, "a")
    await travel(cluster, 60)
    assert cluster.machines["a"].events == ["leave", f"come back for {cluster.rules.still_on_s:g} s"]
    assert ("a", "still-on") in cluster.notices
    await cluster.close()


@pytest.mark.parametrize("hosts", ["ab", "abc"])
def test_a_cluster_of_few_hosts_gets_a_new_image_too(hosts: str) -> None:
    @on_virtual_time
    async def check() -> None:
        cluster = FakeCluster(*hosts)
        for host in hosts:
            cluster.members[host] = replace(cluster.members[host], image="two" if host == hosts[-1] else "one")
        await cluster.start()
        for number in range(5):
            await cluster.coordinators["a"].apply(wanted(f"task-{number}", mode=Mode(list(Mode)[number % 2])))
        await travel(cluster, 2000)
        left = [host for host in hosts if "leave" in cluster.machines[host].events]
        assert len(left) == 1  # until it is back
        assert cluster.machines[left[0]].departure is Departure.UPDATE
        assert all(len(cluster.running(f"task-{number}")) == 1 for number in range(5))
        await cluster.close()

    check()


def outdated(*, hosts: str = "abcd") -> FakeCluster:
    """The newest host has another image than all others."""
    cluster = FakeCluster(*hosts)
    for host in hosts:
        cluster.members[host] = replace(cluster.members[host], image="two" if host == hosts[-1] else "one")
    return cluster


@on_virtual_time
async def test_before_a_host_leaves_for_an_image_it_keeps_that_it_does() -> None:
    cluster = outdated()
    await cluster.start()
    await travel(cluster, 1000)
    gone = [machine for machine in cluster.machines.values() if machine.departure is Departure.UPDATE]
    assert gone
    assert all(machine.went == ["two"] and machine.events == ["went for two", "leave"] for machine in gone)
    assert all(machine.went == [] for machine in cluster.machines.values() if machine not in gone)
    await cluster.close()


@on_virtual_time
async def test_a_host_that_cannot_keep_it_stays_and_says_why() -> None:
    cluster = outdated(hosts="ab")
    cluster.machines["a"].note_problem = "the disk is full"
    await cluster.start()
    await travel(cluster, 1000)
    assert "leave" not in cluster.machines["a"].events
    async with asyncio.timeout(200):
        while cluster.coordinators["a"].state is not HostState.UP:
            await travel(cluster, STEP_S)
    assert "it cannot keep that it goes for image two: the disk is full" in cluster.stayed
    cluster.machines["a"].note_problem = None
    await travel(cluster, 200)
    assert cluster.machines["a"].departure is Departure.UPDATE
    await cluster.close()


@on_virtual_time
async def test_a_machine_that_could_not_start_again_has_not_gone_for_the_image() -> None:
    cluster = outdated(hosts="ab")
    cluster.machines["a"].power_problem = "no right to do that"
    await cluster.start()
    await travel(cluster, 1000)
    assert cluster.machines["a"].events == ["went for two", "leave", f"come back for {cluster.rules.still_on_s:g} s"]
    assert cluster.machines["a"].went == []
    await cluster.close()


@on_virtual_time
async def test_and_comes_back_though_it_cannot_forget_that() -> None:
    cluster = outdated(hosts="ab")
    machine = cluster.machines["a"]
    machine.power_problem = "no right to do that"

    async def fails(image: str) -> None:
        raise OSError(image)

    machine.forget_update = fails  # type: ignore[method-assign]
    await cluster.start()
    await travel(cluster, 1000)
    assert machine.events[-1] == f"come back for {cluster.rules.still_on_s:g} s"
    assert ("a", "defect") in cluster.notices
    await cluster.close()


@on_virtual_time
async def test_a_host_that_stays_after_all_has_not_gone_for_the_image() -> None:
    cluster = outdated(hosts="ab")
    machine, note = cluster.machines["a"], cluster.machines["a"].note_update

    async def note_while_another_host_takes_the_image_back(image: str) -> None:
        await note(image)
        cluster.see("b", image="one")

    machine.note_update = note_while_another_host_takes_the_image_back  # type: ignore[method-assign]
    await cluster.start()
    await travel(cluster, 1000)
    assert machine.events == ["went for two"]
    assert machine.went == []
    assert cluster.coordinators["a"].state is HostState.UP
    await cluster.close()


@on_virtual_time
async def test_a_host_that_came_back_without_the_image_goes_for_it_a_day_later() -> None:
    cluster = outdated(hosts="ab")
    day_s, went_s = cluster.rules.update_again_s, 82_800.0
    await cluster.start("b")
    await cluster.start("a", missed={"two": went_s})
    began = asyncio.get_running_loop().time()
    await asyncio.sleep(day_s - went_s - 10)
    assert cluster.coordinators["a"].room
    assert cluster.coordinators["a"].state is HostState.UP
    while cluster.machines["a"].departure is None:
        await travel(cluster, STEP_S)
    assert asyncio.get_running_loop().time() - began >= day_s - went_s
    assert cluster.machines["a"].departure is Departure.UPDATE
    await cluster.close()


@on_virtual_time
async def test_a_host_that_came_back_so_does_not_go_again_for_a_while() -> None:
    cluster = FakeCluster(*"abcde")
    await cluster.start("b", "c", "d", "e")
    await cluster.start("a", stays_s=3600.0)
    began = cluster.machines["a"].idle_from = asyncio.get_running_loop().time()
    while cluster.machines["a"].departure is None:
        await travel(cluster, STEP_S)
    assert asyncio.get_running_loop().time() - began >= 3600
    await cluster.close()


@on_virtual_time
async def test_a_host_that_drains_says_so_though_its_room_changed_in_the_same_moment() -> None:
    cluster = FakeCluster(*"abcd")
    await cluster.start()
    coordinator = cluster.coordinators["a"]
    coordinator._shared.admission.insist("big", 1, Needs(99))
    draining = asyncio.create_task(coordinator.drain(0))
    coordinator._say_room()  # the look of every second, at this very moment
    await draining
    await asyncio.sleep(1)
    assert coordinator.state is HostState.DRAINING
    assert cluster.machines["a"].told[-1] == (HostState.DRAINING, False)
    await cluster.close()


@on_virtual_time
async def test_a_host_that_is_about_to_go_boots_nothing_that_it_admitted_before() -> None:
    cluster = await guarding(*"abcd")
    door = cluster.coordinators["a"].door
    cluster.machines["a"].idle_from = asyncio.get_running_loop().time()
    admitted = record("late", owner="a", guardians=("b", "c", "d"))
    while cluster.coordinators["a"].state is HostState.UP:
        assert isinstance(await door.admit(admitted, "b"), Admitted)
        await travel(cluster, STEP_S)
    answer = await door.boot("late", 1)
    assert isinstance(answer, Refused)
    assert answer.problem == "host a is draining: it takes no new work"
    assert cluster.running("late") == []
    await cluster.close()


@on_virtual_time
async def test_a_host_that_has_just_started_does_not_know_who_was_granted_it_and_grants_nobody() -> None:
    cluster = FakeCluster(*"abcdef")
    await cluster.start()
    door = cluster.coordinators["f"].door
    assert not await door.grant("a")
    await asyncio.sleep(cluster.rules.grant_s)
    assert await door.grant("a")
    await cluster.close()
