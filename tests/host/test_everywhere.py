"""What any host of a cluster answers to a user, over coordinators of one process."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from supervisor.cluster.peers.wire import JSON, Reply
from supervisor.cluster.ports import Silent
from supervisor.cluster.values import Cause, Member, Needs
from supervisor.errors import BootError, Refused, Unknown
from supervisor.host.cluster.everywhere import Everywhere
from supervisor.host.tasks import Tasks
from supervisor.spec.views import TaskView
from tests.fakes.cluster import FakeCluster, wanted
from tests.fakes.virtual_time import on_virtual_time

MIB = 2**20
APP = {"taskId": "app", "pwd": "/", "mainPath": "./app.js"}


def view(label: str, **fields: Any) -> TaskView:
    """A task with the usual values."""
    usual = {"state": "running", "wanted": True, "revision": 1, "applied": 0.0, "listen": ()}
    counts = {"requests": 0, "failures": 0, "boots": 1, "cpu_s": 0.0}
    return TaskView(**{"task": label, **usual, **counts, **fields})


class Asking:
    """The way to the other hosts' control API, of which there is what `isolated get` asks."""

    def __init__(self, cluster: FakeCluster) -> None:
        self._cluster = cluster

    async def ask(self, to: Member, method: str, path: str, *, within_s: float) -> Reply:
        label = path.rpartition("/")[2]
        if label not in self._cluster.machines[to.id].running:
            raise Silent(f"{to.id}: there is no task {label}")
        return Reply(200, JSON, view(label).model_dump_json(by_alias=True).encode())


def asked_at(cluster: FakeCluster, host: str) -> Everywhere:
    """What `host` answers."""

    def here(label: str) -> TaskView:
        if label not in cluster.machines[host].running:
            raise Unknown(f"there is no task {label}")
        return view(label)

    coordinator = cluster.coordinators[host]
    part = SimpleNamespace(
        part=lambda: coordinator,
        coordinator=coordinator,
        is_part=True,
        own=cluster.members[host],
        membership=SimpleNamespace(members=cluster.members.values()),
        calls=cluster.wires[host],
        wire=Asking(cluster),
    )
    nothing = cast(Any, None)
    tasks = Tasks(cast(Any, SimpleNamespace()), nothing, nothing, nothing, 1.0)
    return Everywhere(cast(Any, part), tasks, here)


@on_virtual_time
async def test_a_new_task_that_does_not_come_up_could_not_be_started() -> None:
    cluster = FakeCluster("a", "b", memory=1000 * MIB)
    await cluster.start()
    for machine in cluster.machines.values():
        machine.boot_problem, machine.boot_cause = "SyntaxError: no\n  at /app.js:1", Cause.PROGRAM
    with pytest.raises(BootError, match=r"^task app could not be started: SyntaxError: no\n  at /app.js:1$"):
        await asked_at(cluster, "a").apply(APP, None, dry_run=False)
    for machine in cluster.machines.values():
        machine.boot_problem = "task app did not start: SyntaxError: no"
    with pytest.raises(BootError, match=r"^task app did not start: SyntaxError: no$"):
        await asked_at(cluster, "a").apply(APP, None, dry_run=False)
    await cluster.close()


@on_virtual_time
async def test_a_change_that_its_owner_has_kept_and_that_does_not_come_up_is_told_so() -> None:
    cluster = FakeCluster("a", "b", memory=1000 * MIB)
    await cluster.start()
    await asked_at(cluster, "a").apply(APP, None, dry_run=False)
    cluster.machines["b"].boot_problem, cluster.machines["b"].boot_cause = "SyntaxError: no", Cause.PROGRAM
    with pytest.raises(BootError, match=r"^task app is changed, and its change does not come up: SyntaxError: no$"):
        await asked_at(cluster, "a").apply(APP | {"env": {"A": "2"}}, None, dry_run=False)
    found = await cluster.coordinators["b"].find("app")
    assert found is not None
    assert found.settings["env"] == {"A": "2"}
    await cluster.close()


@on_virtual_time
async def test_a_change_that_no_host_has_room_for_leaves_the_task_as_it_was_and_says_where_and_why() -> None:
    cluster = FakeCluster("a", "b", memory=1000 * MIB)
    cluster.machines["a"].memory = 900 * MIB
    await cluster.start()
    large = APP | {"limits": {"mem": {"heap": "2GiB"}}}
    with pytest.raises(Refused, match=r"^task app is on no host: no host has room for it: b: it has 1000 MiB"):
        await asked_at(cluster, "a").apply(large, None, dry_run=False)
    await asked_at(cluster, "a").apply(APP, None, dry_run=False)
    for asked in ("a", "b"):
        with pytest.raises(Refused, match=r"^task app stays as it was on host b: no host has room for it") as caught:
            await asked_at(cluster, asked).apply(large, None, dry_run=False)
        assert "b: it has 1000 MiB of memory left" in caught.value.message
        assert "a: it has 900 MiB of memory left" in caught.value.message
    found = await cluster.coordinators["b"].find("app")
    assert found is not None
    assert (found.owner, found.settings) == ("b", APP)
    assert cluster.running("app") == ["b"]
    await cluster.close()


@on_virtual_time
async def test_who_asks_for_a_task_that_no_host_has_hears_that_it_is_not_in_the_cluster() -> None:
    cluster = FakeCluster("a", "b", memory=1000 * MIB)
    await cluster.start()
    await asked_at(cluster, "a").apply(APP, None, dry_run=False)
    there = await asked_at(cluster, "a").elsewhere("app")
    assert there is not None
    assert there.host == "b"
    await asked_at(cluster, "a").remove("app")
    for asked, label in (("a", "app"), ("a", "nosuch"), ("b", "nosuch")):
        with pytest.raises(Unknown, match=rf'^there is no task "{label}" in the cluster'):
            await asked_at(cluster, asked).elsewhere(label)
    await cluster.close()


@on_virtual_time
async def test_a_task_whose_hosts_are_not_up_is_to_be_placed_nowhere_else() -> None:
    cluster = FakeCluster("a", "b", "c", "d")
    await cluster.start()
    for label, hosts in (("any", None), ("one", ("d",)), ("two", ("d", "x")), ("other", ("d", "a"))):
        await cluster.coordinators["a"].apply(wanted(label, needs=Needs(1, hosts=hosts)))
    assert all(cluster.running(label) == ["d"] for label in ("any", "one", "two", "other"))
    await cluster.crash("d")
    told = {each.task: each.warnings for host in ("a", "b", "c") for each in asked_at(cluster, host).stranded()}
    assert told == {
        "any": ("it is to be placed on another host",),
        "one": ("it may run on d only, which is not up",),
        "two": ("it may run on d, x only, which are not up",),
        "other": ("it is to be placed on another host",),
    }
    await cluster.close()
