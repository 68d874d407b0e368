"""What all tests share: one V8, as it starts only once per process."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

import pytest_asyncio

if TYPE_CHECKING:
    from supervisor.engine.engine import Engine


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def engine() -> AsyncIterator[Engine]:
    """The process's engine, started by the first test that needs it. Those run on the session's loop."""
    from supervisor.engine.engine import Engine

    async with Engine() as started:
        yield started
