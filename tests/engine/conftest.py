"""Programs in real isolates; after each test nothing of them may be left."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from supervisor.engine.engine import Counts, Engine
from tests.engine.programs import PATIENCE_S, Programs


@pytest_asyncio.fixture(loop_scope="session")
async def programs(engine: Engine, tmp_path: Path) -> AsyncIterator[Programs]:
    """Boots programs; ends them after the test and sees to it that isolates and threads are as many as before."""
    before, alive = engine.counts(), engine.alive
    programs = Programs(engine, tmp_path / "app")
    yield programs
    await programs.end_all()
    await _wait_back(engine, before)
    assert engine.alive == alive


async def _wait_back(engine: Engine, before: Counts) -> None:
    """A thread is over a moment after its last record. One of an earlier test may have been so `before`."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            now = engine.counts()
            if now.isolates <= before.isolates and now.threads <= before.threads and now.records <= before.records:
                break
            await asyncio.sleep(0.001)
    assert now.parked == before.parked
