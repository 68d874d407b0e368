"""Courses of events in which a strict task ran twice, each in small: it never does."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace

from supervisor.cluster.placing import Placed
from supervisor.cluster.ports import Silent
from supervisor.cluster.values import Booted, HostState, Member, MemberState, Mode, Record, Refused
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
    assert len(cluster.running("task")) == 1
    drain.cancel()
    await cluster.close()
