"""Courses of events in which a strict task ran twice, each in small: it never does."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace

from supervisor.cluster.claiming import Claimed, claim
from supervisor.cluster.placing import NotPlaced
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
from tests.fakes.cluster import FakeCluster, record, wanted
from tests.fakes.courses import LOOK_S, cut, fails_behind_a_cut, join, known, notice, now, placed
from tests.fakes.virtual_time import on_virtual_time


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


@on_virtual_time
async def test_though_a_user_applies_it_at_its_owner_that_has_lost_it_and_does_not_know_that_yet() -> None:
    cluster = FakeCluster("a", "b", "o")
    await cluster.start()
    await fails_behind_a_cut(cluster, Mode.STRICT)
    await asyncio.sleep(60)
    cluster.cut.clear()
    wire = cluster.wires["o"]
    boot = wire.boot

    async def boots(to: Member, label: str, epoch: int) -> Booted | Refused:
        await boot(to, label, epoch)
        cut(cluster, "o", "abx")
        raise Silent

    wire.boot = boots  # type: ignore[method-assign]
    applied = asyncio.create_task(cluster.coordinators["o"].apply(wanted("task", mode=Mode.STRICT, v=2)))
    await runs_once(cluster, 100)
    assert len(cluster.running("task")) == 1
    await applied
    await cluster.close()


@on_virtual_time
async def test_though_its_owner_changes_it_for_longer_than_a_lease() -> None:
    cluster = FakeCluster("a", "b", "o")
    await cluster.start()
    assert (await placed(cluster, "a")).owner == "o"
    await asyncio.sleep(60)
    machine = cluster.machines["o"]
    boot = machine.boot

    async def boots(record: Record, sources: Sequence[Member]) -> None:
        await asyncio.sleep(120)
        await boot(record, sources)

    machine.boot = boots  # type: ignore[method-assign]
    changed = asyncio.create_task(cluster.coordinators["o"].apply(wanted("task", mode=Mode.STRICT, v=2)))
    await asyncio.sleep(1)
    cut(cluster, "o", "ab")
    notice(cluster, "o", "ab")
    await runs_once(cluster, 300)
    assert len(cluster.running("task")) == 1
    assert cluster.running("task") != ["o"]
    await changed
    await cluster.close()


@on_virtual_time
async def test_though_its_boot_takes_longer_than_its_lease_and_another_host_restarts_it() -> None:
    cluster = FakeCluster("a", "b", "o")
    await cluster.start()
    machine = cluster.machines["o"]
    boot = machine.boot

    async def boots(record: Record, sources: Sequence[Member]) -> None:
        cut(cluster, "o", "ab")
        notice(cluster, "o", "ab")
        await asyncio.sleep(120)
        await boot(record, sources)

    machine.boot = boots  # type: ignore[method-assign]
    applied = asyncio.create_task(cluster.coordinators["o"].apply(wanted("task", mode=Mode.STRICT)))
    await runs_once(cluster, 300)
    assert cluster.running("task") in (["a"], ["b"])
    assert isinstance(await applied, NotPlaced)
    await cluster.close()


@on_virtual_time
async def test_though_its_owner_starts_again_in_the_middle_of_a_move() -> None:
    cluster = FakeCluster("a", "b", "c", "d", "e")
    await cluster.start()
    assert (await placed(cluster, "a")).owner == "e"
    await asyncio.sleep(60)
    wire = cluster.wires["e"]
    boot = wire.boot
    late: list[asyncio.Task[Booted | Refused]] = []

    async def boots(to: Member, label: str, epoch: int) -> Booted | Refused:
        async def comes_late() -> Booted | Refused:
            await asyncio.sleep(8)  # the room is reserved for 10 s
            return await boot(to, label, epoch)

        late.append(asyncio.create_task(comes_late()))
        return await asyncio.Future[Booted | Refused]()

    wire.boot = boots  # type: ignore[method-assign]
    drain = asyncio.create_task(cluster.coordinators["e"].drain(60))
    while not late:
        await asyncio.sleep(LOOK_S)
    drain.cancel()
    await cluster.coordinators.pop("e").close()
    await cluster.start("e")
    await runs_once(cluster, 60)
    assert late[0].done()
    assert len(cluster.running("task")) == 1
    await cluster.close()


@on_virtual_time
async def test_though_a_guardian_has_never_heard_of_the_other_one() -> None:
    cluster = FakeCluster("a", "o")
    await cluster.start()
    assert (await placed(cluster, "a")).owner == "o"
    await asyncio.sleep(60)
    await join(cluster, "x")
    await asyncio.sleep(60)
    assert set((await known(cluster, "a")).guardians) == {"a", "x"}
    cut(cluster, "a", "ox")
    unheard = cluster.members.pop("x")  # it joined where a does not see it
    notice(cluster, "a")
    cluster.members["x"] = unheard
    await runs_once(cluster, 300)
    assert cluster.running("task") == ["o"]
    cluster.cut.clear()
    cluster.see("a", alive=MemberState.ALIVE)
    await runs_once(cluster, 60)
    await cluster.close()


@on_virtual_time
async def test_though_its_owner_was_a_guardian_and_promised_the_next_epoch_to_another_host() -> None:
    cluster = FakeCluster("g", "o", "h")
    await cluster.start()
    await asyncio.sleep(30)
    for coordinator in cluster.coordinators.values():
        await coordinator.close()
    hosts = {host: coordinator._shared for host, coordinator in cluster.coordinators.items()}
    owned = record(epoch=3, owner="o", guardians=("g", "h"), previous=("g", "o", "h"), mode=Mode.STRICT)
    given_up = replace(owned, epoch=4, revision=2, owner="", guardians=("g", "o", "h"), previous=())
    await hosts["o"].ledger.put(owned, now())
    for host in "gh":
        await hosts[host].ledger.put(given_up, now())
    cut(cluster, "g", "h")
    epochs = [await claim(hosts[host], given_up) for host in "go"]
    assert epochs == [Claimed(5), Claimed(6)]


@on_virtual_time
async def test_though_a_boot_that_failed_left_a_copy_and_the_lease_ends() -> None:
    cluster = FakeCluster("a", "b", "o")
    await cluster.start()
    assert (await placed(cluster, "a")).owner == "o"
    await asyncio.sleep(60)
    await cluster.coordinators.pop("o").close()
    machine = cluster.machines["o"]
    machine.running.clear()
    machine.boot_problem, machine.fails_halfway = "its address is in use", True
    await cluster.start("o")
    while cluster.running("task") != ["o"]:
        await asyncio.sleep(LOOK_S)
    cut(cluster, "o", "ab")
    notice(cluster, "o", "ab")
    await runs_once(cluster, 300)
    assert cluster.running("task") != ["o"]
    assert len(cluster.running("task")) == 1
    await cluster.close()


@on_virtual_time
async def test_though_a_boot_that_failed_on_another_host_left_a_copy() -> None:
    cluster = FakeCluster("a", "b", "o")
    await cluster.start()
    await asyncio.sleep(60)
    cluster.machines["o"].boot_problem, cluster.machines["o"].fails_halfway = "its address is in use", True
    assert (await placed(cluster, "a")).owner == "b"
    assert cluster.running("task") == ["b"]
    await cluster.close()
