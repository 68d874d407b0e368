"""What a host knows of the limits of its tasks' traffic while the kernel's state changes under it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest
from structlog.testing import capture_logs

from supervisor.host.network import Network
from supervisor.ingress.listeners import Listeners
from supervisor.limits.shaping import Shaper
from supervisor.spec.task import TaskSpec
from tests.limits.namespaces import namespace, run, run_inside, why_not

REASON = why_not()
pytestmark = pytest.mark.skipif(REASON is not None, reason=REASON or "")

TASK = TaskSpec.model_validate(
    {
        "taskId": "shop",
        "mainPath": "a.js",
        "pwd": "/tmp",
        "listen": ["127.0.0.1:0"],
        "limits": {"net": {"egress": "8mbit"}},
    }
)


async def until(condition: Callable[[], bool]) -> None:
    """Waits, not for ever."""
    async with asyncio.timeout(60):
        while not condition():
            await asyncio.sleep(0.05)


def test_an_egress_limit_that_stops_holding_marks_the_task_until_it_holds_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("supervisor.limits.shaping.shaper.LOOK_EVERY_S", 0.2)

    async def go() -> None:
        async with Shaper() as shaper, Listeners() as listeners:
            network = Network(shaper, listeners)
            await network.hold(TASK)
            assert network.lacking(TASK) == []
            run("tc", "-n", name, "qdisc", "replace", "dev", "lo", "root", "pfifo")
            await until(lambda: network.lacking(TASK) != [])
            (problem,) = network.lacking(TASK)
            assert problem.field == "limits.net.egress"
            assert "somebody else set" in problem.message
            run("tc", "-n", name, "qdisc", "del", "dev", "lo", "root")
            await until(lambda: network.lacking(TASK) == [])
            await network.free("shop")

    with namespace() as name, capture_logs() as log:
        run_inside(name, go)
    told = [line["event"] for line in log if line["task"] == "shop"]
    assert told == ["limits.net.egress is not held", "limits.net.egress is held again"], "each once"
