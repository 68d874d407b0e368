"""Thirty agents on one machine: how long it takes until all know. `pytest -m slow -s` shows the figures."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from supervisor.cluster.values import HostState, MemberState
from tests.cluster.serf.agents import host, met, options, until, why_no_agent
from tests.limits.namespaces import namespace, run_inside, why_not

WHY_NOT = why_no_agent() or why_not()
pytestmark = [pytest.mark.slow, pytest.mark.skipif(WHY_NOT is not None, reason=WHY_NOT or "")]
COUNT = 30


def test_thirty_agents(tmp_path: Path) -> None:
    """The last host joins, changes a tag, dies, comes back by its snapshot, and leaves."""
    figures: dict[str, float] = {}

    async def took(what: str, holds: Callable[[], object]) -> None:
        began = time.monotonic()
        await until(holds, lambda: figures)
        figures[what] = time.monotonic() - began

    async def work() -> None:
        async with AsyncExitStack() as stack:
            first = [await stack.enter_async_context(host(options(tmp_path, each, 1, 2))) for each in range(1, COUNT)]
            began = time.monotonic()
            await met(*first)
            figures[f"{COUNT - 1} started at once, all known to all"] = time.monotonic() - began
            await asyncio.sleep(5)
            name = f"h{COUNT}"

            def seen(state: MemberState) -> bool:
                return all(each.state(name) is state for each in first)

            async with host(options(tmp_path, COUNT, 1, 2)) as last:
                await took("a join seen by all", lambda: seen(MemberState.ALIVE))
                await until(lambda: last.membership.is_current)
                await asyncio.sleep(5)
                last.membership.tell(HostState.DRAINING, room=False)
                await took(
                    "a tag change seen by all",
                    lambda: all(each.of(name).state is HostState.DRAINING for each in first),  # type: ignore[union-attr]
                )
            await took("kill -9 -> failed everywhere", lambda: seen(MemberState.FAILED))
            async with host(options(tmp_path, COUNT)) as last:
                await took("restart from snapshot only", lambda: seen(MemberState.ALIVE))
                await until(lambda: len(last.membership.members) == COUNT)
                figures["MiB of an agent"] = rss(last.agent)
                assert last.membership.agent_pid is not None
                figures["MiB of its switch"] = rss(last.membership.agent_pid)
                began = time.monotonic()
                await last.membership.leave()
                figures["leave() itself"] = time.monotonic() - began
                await took("... and seen by all after it", lambda: seen(MemberState.LEFT))
            others = {f"h{each}" for each in range(1, COUNT)}
            assert all(MemberState.FAILED not in each.story(other) for each in first for other in others)

    with namespace() as machine:
        run_inside(machine, work)
    for what, figure in figures.items():
        print(f"{figure:8.2f}  {what}")  # noqa: T201


def rss(pid: int) -> float:
    """MiB, shared pages included."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0]) / 1024
