"""What a process does not do any more once another one is the host, or is about to be."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any, cast

import pytest

from supervisor.errors import Refused
from supervisor.host import tasks
from supervisor.host.daemon import Daemon
from supervisor.host.tasks import Tasks


class Bundles:
    """Counts how often unused ones were looked for."""

    def __init__(self) -> None:
        self.sweeps = 0

    def sweep(self, keep: set[str]) -> None:
        self.sweeps += 1


async def test_no_bundle_is_removed_and_no_task_changed_by_who_is_not_the_host_any_more(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tasks, "SWEEP_EVERY_S", 0.001)
    bundles = Bundles()
    found = Tasks(cast(Any, None), cast(Any, None), cast(Any, bundles), cast(Any, None), 1.0)
    sweeping = asyncio.create_task(found.sweep())
    async with asyncio.timeout(60):
        while not bundles.sweeps:
            await asyncio.sleep(0.001)
    found.give_up("another process is the host now")
    before = bundles.sweeps
    await asyncio.sleep(0.1)
    assert bundles.sweeps <= before + 1, "one may have been under way"
    with pytest.raises(Refused, match="another process is the host now"):
        await found.remove("shop")
    sweeping.cancel()


async def test_no_block_is_lifted_while_a_successor_has_them_already() -> None:
    daemon = Daemon(cast(Any, None), cast(Any, None), cast(Any, None))
    daemon._succession = cast(Any, SimpleNamespace(under_way=True))
    with pytest.raises(Refused, match="handed over"):
        await daemon.release("shop")
