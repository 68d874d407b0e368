"""Tasks of a host that do not run yet: nobody stopped them, and what they wait for is told."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any, cast

import pytest

from supervisor.cluster.placing import Placed
from supervisor.cluster.values import Mode
from supervisor.host.tasks import Known, Tasks
from supervisor.host.views import Views
from supervisor.spec.views import NetView
from supervisor.state.records import StoredTask
from tests.fakes.cluster import FakeCluster, wanted
from tests.fakes.virtual_time import on_virtual_time
from tests.host.test_everywhere import asked_at, view

WAITS = "it waits for the lease of its guardians: "


@pytest.mark.parametrize(("is_wanted", "state"), [(True, "pending"), (False, "stopped")])
async def test_a_task_that_is_held_is_not_stopped(is_wanted: bool, state: str) -> None:
    listeners = SimpleNamespace(usage=lambda _: NetView())
    pool, network = SimpleNamespace(slots={}), SimpleNamespace(egress=lambda _: None)
    nothing, core = cast(Any, None), cast(Any, SimpleNamespace(pool=pool, listeners=listeners, network=network))
    tasks = Tasks(core, nothing, nothing, nothing, 1.0)
    stored = StoredTask("shop", {"taskId": "shop"}, None, is_wanted, 1, 1.0)
    known = tasks.known["shop"] = Known(stored, held=True, problem="it is not known yet whether it is here")
    views = Views(nothing, core, tasks, nothing, nothing)
    told = views.task(known, with_spec=False)
    assert (told.state, told.problem, told.exits) == (state, "it is not known yet whether it is here", ())
    assert {name: count for name, count in views._states().items() if count} == {state: 1}


@on_virtual_time
async def test_a_strict_task_that_waits_for_its_lease_is_pending_and_says_so() -> None:
    cluster = FakeCluster("a", "b", "c")
    await cluster.start()
    for label, mode in (("strict", Mode.STRICT), ("other", Mode.BEST_EFFORT)):
        assert isinstance(await cluster.coordinators["a"].apply(wanted(label, mode=mode)), Placed)
    assert cluster.running("strict") == cluster.running("other") == ["c"]
    await asyncio.sleep(60)
    assert cluster.coordinators["c"].waiting() == []
    assert ("c", "waits-for-lease") not in cluster.notices
    await cluster.coordinators.pop("c").close()
    cluster.machines["c"].running.clear()
    cluster.cut = {(one, other) for one in "abc" for other in "abc" if "c" in (one, other) and one != other}
    await cluster.start("c")
    await asyncio.sleep(60)
    assert cluster.machines["c"].running.keys() == {"other"}
    held, runs = view("strict", state="pending", problem="it is not known yet whether it is here"), view("other")
    for here in ([held, runs], [runs]):  # a copy that ran without a lease has ended, and is not here any more
        other, strict = asked_at(cluster, "c").own(here)
        assert (other.task, other.state, other.problem, other.host) == ("other", "running", None, "c")
        assert (strict.task, strict.state, strict.host) == ("strict", "pending", "c")
        assert strict.problem is not None
        assert strict.problem.startswith(WAITS)
        assert set(strict.problem.removeprefix(WAITS).split(", ")) == {"a", "b"}
    assert cluster.notices.count(("c", "waits-for-lease")) == 1
    cluster.cut = set()
    async with asyncio.timeout(600):
        while "strict" not in cluster.machines["c"].running:
            await asyncio.sleep(1)
    assert cluster.coordinators["c"].waiting() == []
    await cluster.close()
