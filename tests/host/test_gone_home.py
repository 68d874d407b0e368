"""A host that left its cluster to be switched off is still on for a while: what users ask of it then."""

from __future__ import annotations

import asyncio
import base64
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from supervisor.errors import Refused, Unknown
from supervisor.host.cluster.cluster import Cluster
from supervisor.host.cluster.everywhere import Everywhere
from supervisor.spec.settings_load import load_settings
from tests.fakes.cluster import FakeCluster, member, wanted
from tests.fakes.virtual_time import on_virtual_time

GONE = "this host has left its cluster, and is about to be switched off"
TASK = {"taskId": "late"}


def settled(folder: Path) -> Cluster:
    """A host's own objects; it has no agent, so it sees itself alone."""
    key = folder / "key"
    key.write_bytes(base64.b64encode(bytes(range(32))))
    key.chmod(0o600)
    settings = {"state_dir": str(folder), "cluster_listen": "127.0.0.1:7947", "cluster_key_file": str(key)}
    nothing: Any = None
    return Cluster(load_settings(None, {}, settings), member("a"), nothing, nothing, nothing)


def for_users(cluster: Cluster) -> Everywhere:
    def checked(settings: Any, _bundle: str | None) -> Any:
        return SimpleNamespace(label=settings["taskId"])

    tasks: Any = SimpleNamespace(known={}, checked=checked)
    here: Any = None
    return Everywhere(cluster, tasks, here)


def test_what_needs_the_cluster_is_refused_and_all_else_goes_on(tmp_path: Path) -> None:
    @on_virtual_time
    async def check() -> None:
        others = FakeCluster(*"abcde")
        await others.start()
        await others.coordinators["e"].apply(wanted("task"))
        host = settled(tmp_path)
        host.coordinator = others.coordinators["a"]
        everywhere = for_users(host)
        assert host.part() is host.coordinator
        with pytest.raises(Unknown):  # it is asked of the others
            await everywhere.elsewhere("late")

        others.machines["a"].idle_from = asyncio.get_running_loop().time()
        async with asyncio.timeout(3600):
            while others.machines["a"].departure is None:
                await asyncio.sleep(0.2)
                others.see("a", state=host.coordinator.state)
        for asked in (
            everywhere.apply(TASK, None, dry_run=True),
            everywhere.apply(TASK, None, dry_run=False),
            everywhere.want("task", wanted=False),
            everywhere.remove("task"),
            everywhere.elsewhere("task"),
        ):
            with pytest.raises(Refused, match=GONE) as refused:
                await asked
            assert refused.value.remedy == "ask another host of it"

        assert await everywhere.tasks([]) == ([], ())
        assert [each.host for each in await everywhere.hosts()] == ["a"]
        assert everywhere.stranded() == []
        assert host.is_part
        assert host.figures() is not None
        assert (await host.door.owned()).tasks == {}  # its peers are answered as before
        assert await host.coordinator.leave(30.0) == {}
        assert others.machines["a"].events.count("leave") == 1

        host.coordinator = others.coordinators["b"]  # it takes part again
        assert host.part() is host.coordinator
        await others.close()

    check()
