"""A host is stopped, and what it would hand over cannot be: it says so, and goodbye all the same."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any, cast

from structlog.testing import capture_logs

from supervisor.cluster.ports import Kept
from supervisor.host.service import _leave_cluster
from tests.fakes.cluster import FakeCluster, wanted
from tests.fakes.virtual_time import on_virtual_time


async def disk_is_full(kept: Kept) -> None:
    raise OSError(28, "No space left on device")


@on_virtual_time
async def test_a_stop_that_fails_is_told_and_ends_with_a_goodbye() -> None:
    cluster = FakeCluster(*"abc")
    await cluster.start()
    await cluster.coordinators["a"].apply(wanted("task"))
    assert cluster.running("task") == ["c"]
    machine = cluster.machines["c"]
    machine.keep = disk_is_full  # type: ignore[method-assign]
    parts: Any = SimpleNamespace(cluster=cluster.coordinators["c"], daemon=SimpleNamespace(state="", tell=print))
    stop: Any = SimpleNamespace(wait_end=asyncio.Event().wait)
    with capture_logs() as lines:
        await _leave_cluster(parts, stop, 30.0)
    assert machine.events[-1] == "leave"
    told = [line for line in lines if line["log_level"] == "error"]
    assert len(told) == 1
    assert "without having handed over all that it has" in told[0]["event"]
    assert "No space left on device" in cast(str, told[0]["problem"])
    await cluster.close()
