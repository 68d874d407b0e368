"""Courses of events in which a strict task ran twice, each in small: it never does."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace

from supervisor.cluster.placing import NotPlaced, Placed
from supervisor.cluster.ports import Silent
from supervisor.cluster.values import (
    Booted,
    Claim,
    HostState,
    Member,
    MemberState,
    Mode,
    Promised,
    Record,
    Refused,
    Withheld,
)
from tests.fakes.cluster import FakeCluster, FakeMachine, member, wanted
from tests.fakes.virtual_time import on_virtual_time

LOOK_S = 0.1


async def placed(cluster: FakeCluster, at: str) -> Record:
    outcome = await cluster.coordinators[at].apply(wanted("task", mode=Mode.STRICT))
    assert isinstance(outcome, Placed)
    return outcome.record


def cut(cluster: FakeCluster, one: Sequence[str], other: Sequence[str]) -> None:
    """No message gets from one to the other side; nobody notices yet."""
    cluster.cut |= {pair for a in one for b in other for pair in ((a, b), (b, a))}


def notice(cluster: FakeCluster, *sides: Sequence[str]) -> None:
    """Each side sees that the others do not answer."""
    now = asyncio.get_running_loop().time()
    for side in sides:
        seen = [
            m if m.id in side else replace(m, alive=MemberState.FAILED, since=now) for m in cluster.members.values()
        ]
        for host in side:
            cluster.coordinators[host].on_members(seen)


async def join(cluster: FakeCluster, *hosts: str) -> None:
    """New hosts, the newest ones."""
    for age, host in enumerate(hosts, len(cluster.members)):
        cluster.machines[host] = FakeMachine()
        cluster.members[host] = member(host, boot_time=float(age))
    await cluster.start(*hosts)
    cluster.see(hosts[0], alive=MemberState.ALIVE)


async def runs_once(cluster: FakeCluster, seconds: float) -> None:
    """So long there never are two copies."""
    for _ in range(int(seconds / LOOK_S)):
        await asyncio.sleep(LOOK_S)
        assert len(cluster.running("task")) <= 1


@on_virtual_time
async def test_though_the_network_splits_the_guardians_in_halves_while_it_moves() -> None:
    cluster = FakeCluster("a", "b", "o")
    await cluster.start()
    assert set((await placed(cluster, "a")).guardians) == {"a", "b"}
    await asyncio.sleep(60)
    await join(cluster, "t")

    async def boots(to: Member, label: str, epoch: int) -> Booted | Refused:
        cut(cluster, ["b"], ["a", "t"])
        await boot(to, label, epoch)
        cut(cluster, ["o"], ["a", "t"])
        raise Silent

    wire = cluster.wires["o"]
    boot, wire.boot = wire.boot, boots  # type: ignore[method-assign]
    cluster.see("o", state=HostState.DRAINING)
    drain = asyncio.create_task(cluster.coordinators["o"].drain(60))
    await runs_once(cluster, 8)
    notice(cluster, "ob", "at")
    await runs_once(cluster, 300)
    cluster.cut.clear()
    cluster.see("t", alive=MemberState.ALIVE)
    await runs_once(cluster, 100)
    assert len(cluster.running("task")) == 1
    drain.cancel()
    await cluster.close()


@on_virtual_time
async def test_though_its_owner_was_alone_and_is_cut_off_as_it_moves() -> None:
    cluster = FakeCluster("a")
    await cluster.start()
    await placed(cluster, "a")
    await asyncio.sleep(60)
    await join(cluster, "b", "c", "d")

    async def boots(to: Member, label: str, epoch: int) -> Booted | Refused:
        await boot(to, label, epoch)
        cut(cluster, ["a"], ["b", "c", "d"])
        raise Silent

    wire = cluster.wires["a"]
    boot, wire.boot = wire.boot, boots  # type: ignore[method-assign]
    cluster.see("a", state=HostState.DRAINING)
    drain = asyncio.create_task(cluster.coordinators["a"].drain(60))
    await runs_once(cluster, 8)
    notice(cluster, "a", "bcd")
    await runs_once(cluster, 300)
    drain.cancel()
    await cluster.close()


@on_virtual_time
async def test_though_a_user_applies_it_beyond_a_partition_to_a_host_that_does_not_guard_it_yet() -> None:
    cluster = FakeCluster("a", "b")
    await cluster.start()
    assert (await placed(cluster, "a")).owner == "b"
    await asyncio.sleep(60)
    await cluster.crash("b")
    await asyncio.sleep(100)
    assert cluster.running("task") == ["a"]
    await cluster.start("b")
    cluster.see("b", alive=MemberState.ALIVE)
    await asyncio.sleep(3)
    cut(cluster, ["a"], ["b"])
    notice(cluster, "a", "b")
    await runs_once(cluster, 100)
    outcome = await cluster.coordinators["b"].apply(wanted("task", mode=Mode.STRICT, v=2))
    assert isinstance(outcome, NotPlaced)
    assert "(a)" in outcome.problem
    await runs_once(cluster, 100)
    assert cluster.running("task") == ["a"]
    await cluster.close()


@on_virtual_time
async def test_though_its_owner_is_its_only_guardian_and_another_host_claims_it() -> None:
    cluster = FakeCluster("a")
    await cluster.start()
    await placed(cluster, "a")
    await asyncio.sleep(60)
    door = cluster.coordinators["a"].door
    (record,) = cluster.coordinators["a"].records()
    claim = Claim("task", record.epoch + 1, "b", record.version)
    assert isinstance(await door.claim(claim), Withheld)
    assert cluster.running("task") == ["a"]
    await cluster.close()


@on_virtual_time
async def test_though_its_old_owner_is_to_restart_it_while_it_takes_it_back() -> None:
    for step in range(12, 24):
        cluster = FakeCluster("a", "b", "d", "e")
        await cluster.start()
        assert (await placed(cluster, "a")).owner == "e"
        await asyncio.sleep(60 + 0.37 * step)
        cluster.machines["d"].boot_problem = "its port is in use"
        wire, asked = cluster.wires["e"], list[tuple[str, int]]()

        async def claims(
            to: Member,
            claim: Claim,
            asked: list[tuple[str, int]] = asked,
            ask: Callable[[Member, Claim], Awaitable[Promised | Withheld]] = wire.claim,
        ) -> Promised | Withheld:
            asked.append((to.id, claim.epoch))
            if claim.epoch >= 3 and len(asked) <= 6 and to.id != "d":
                await asyncio.sleep(3)
                raise Silent
            await asyncio.sleep(3.9 if claim.epoch >= 3 and to.id == "a" else 0.1)
            return await ask(to, claim)

        wire.claim = claims  # type: ignore[method-assign]
        drain = asyncio.create_task(cluster.coordinators["e"].drain(60))
        await runs_once(cluster, 3)
        cluster.see("e", state=HostState.DRAINING)  # until then its new owner has it as a guardian
        await runs_once(cluster, 57)
        assert len(asked) == len(set(asked))  # no epoch is claimed twice
        drain.cancel()
        await cluster.close()


@on_virtual_time
async def test_though_its_owner_is_cut_off_and_does_not_know_whether_another_host_booted_it() -> None:
    cluster = FakeCluster("a", "b", "c", "d", "e")
    await cluster.start()
    assert (await placed(cluster, "a")).owner == "e"
    await asyncio.sleep(60)

    async def boots(to: Member, label: str, epoch: int) -> Booted | Refused:
        await boot(to, label, epoch)
        cut(cluster, "e", "abcd")
        raise Silent

    wire = cluster.wires["e"]
    boot, wire.boot = wire.boot, boots  # type: ignore[method-assign]
    cluster.see("e", state=HostState.DRAINING)
    drain = asyncio.create_task(cluster.coordinators["e"].drain(60))
    await runs_once(cluster, 100)
    drain.cancel()
    await cluster.close()


@on_virtual_time
async def test_though_a_boot_that_its_owner_gave_up_comes_late() -> None:
    cluster = FakeCluster("a", "b", "c", "d", "e")
    await cluster.start()
    assert (await placed(cluster, "a")).owner == "e"
    await asyncio.sleep(60)
    wire = cluster.wires["e"]
    boot, ask = wire.boot, wire.claim
    late: list[asyncio.Task[Booted | Refused]] = []

    async def boots(to: Member, label: str, epoch: int) -> Booted | Refused:
        async def comes_late() -> Booted | Refused:
            await asyncio.sleep(9)  # as long as the room is reserved
            return await boot(to, label, epoch)

        late.append(asyncio.create_task(comes_late()))
        raise Silent

    async def claims(to: Member, claim: Claim) -> Promised | Withheld:
        if late and not late[0].done():
            raise Silent  # claims get lost, and the guardians go on to renew its lease
        return await ask(to, claim)

    wire.boot, wire.claim = boots, claims  # type: ignore[method-assign]
    drain = asyncio.create_task(cluster.coordinators["e"].drain(0))
    await runs_once(cluster, 120)
    assert len(cluster.running("task")) == 1
    drain.cancel()
    await cluster.close()


@on_virtual_time
async def test_and_its_owner_goes_on_with_it_if_nobody_booted_it() -> None:
    cluster = FakeCluster("a", "b", "c", "d", "e")
    await cluster.start()
    before = await placed(cluster, "a")
    await asyncio.sleep(60)
    wire = cluster.wires["e"]
    ask = wire.claim

    async def boots(to: Member, label: str, epoch: int) -> Booted | Refused:
        wire.claim = claims  # type: ignore[method-assign]
        raise Silent

    async def claims(to: Member, claim: Claim) -> Promised | Withheld:
        raise Silent

    wire.boot = boots  # type: ignore[method-assign]
    await cluster.coordinators["e"].drain(0)
    await cluster.coordinators["e"].resume()
    await runs_once(cluster, 60)
    assert cluster.running("task") == []  # it may have been booted: its lease is not enough
    wire.claim = ask  # type: ignore[method-assign]
    await runs_once(cluster, 120)
    assert cluster.running("task") == ["e"]
    (record,) = cluster.coordinators["e"].records()
    assert record.epoch > before.epoch + 1
    await cluster.close()
