"""What may happen to a fake cluster, in words: cuts, crashes, returns."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace

from supervisor.cluster.placing import Placed
from supervisor.cluster.values import HostState, MemberState, Mode, Record
from tests.fakes.cluster import FakeCluster, FakeMachine, member, wanted

LOOK_S = 0.1


def now() -> float:
    """Virtual seconds."""
    return asyncio.get_running_loop().time()


async def placed(cluster: FakeCluster, at: str, *, mode: Mode = Mode.STRICT) -> Record:
    """A user applies 'task', v=1, at that host."""
    outcome = await cluster.coordinators[at].apply(wanted("task", mode=mode, v=1))
    assert isinstance(outcome, Placed)
    return outcome.record


def cut(cluster: FakeCluster, one: Sequence[str], other: Sequence[str]) -> None:
    """No message gets from one to the other side; nobody notices yet."""
    cluster.cut |= {pair for a in one for b in other for pair in ((a, b), (b, a))}


def notice(cluster: FakeCluster, *sides: Sequence[str]) -> None:
    """Each side sees that the others do not answer."""
    for side in sides:
        seen = [
            m if m.id in side else replace(m, alive=MemberState.FAILED, since=now()) for m in cluster.members.values()
        ]
        for host in side:
            cluster.coordinators[host].on_members(seen)


async def join(cluster: FakeCluster, *hosts: str, room: bool = True) -> None:
    """New hosts, the newest ones."""
    for age, host in enumerate(hosts, len(cluster.members)):
        cluster.machines[host] = FakeMachine()
        cluster.members[host] = member(host, boot_time=float(age), room=room)
    await cluster.start(*hosts)
    cluster.see(hosts[0], alive=MemberState.ALIVE)


async def come_back(cluster: FakeCluster, host: str) -> None:
    """A host that crashed starts again, with its disk."""
    cluster.members[host] = replace(cluster.members[host], alive=MemberState.ALIVE, state=HostState.UP, since=now())
    await cluster.start(host)
    cluster.see(host, alive=MemberState.ALIVE)


def set_boots_fail(cluster: FakeCluster, problem: str | None) -> None:
    """No host brings a task up; None: they do again."""
    for machine in cluster.machines.values():
        machine.boot_problem = problem


async def known(cluster: FakeCluster, host: str) -> Record:
    """What that host knows of the task."""
    record = await cluster.coordinators[host].door.find("task")
    assert record is not None
    return record


async def fails_behind_a_cut(cluster: FakeCluster, mode: Mode) -> None:
    """Hosts a, b, o, of which o runs the task. o is cut off; a tries to restart it, and alone knows that this failed.

    Then a is cut off, the others see each other, and x joins. A user applied v=1.
    """
    assert (await placed(cluster, "a", mode=mode)).owner == "o"
    await asyncio.sleep(60)
    cut(cluster, "o", "ab")
    notice(cluster, "o", "ab")
    await asyncio.sleep(29)
    cluster.machines["x"] = FakeMachine()
    cluster.members["x"] = member("x", boot_time=9.0, room=False)
    await cluster.start("x")
    cut(cluster, "x", "abo")
    notice(cluster, "o", "abx")
    set_boots_fail(cluster, "its port is in use")
    async with asyncio.timeout(60):
        while (await known(cluster, "a")).owner:
            await asyncio.sleep(LOOK_S / 2)
    set_boots_fail(cluster, None)
    cluster.cut.clear()
    cut(cluster, "a", "box")
    for host in cluster.members:
        cluster.members[host] = replace(cluster.members[host], alive=MemberState.ALIVE, room=True)
    cluster.see("o", alive=MemberState.ALIVE)
