"""What all tests share: one V8, as it starts only once per process, and no haste in looking for counterexamples."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

import pytest_asyncio
from hypothesis import HealthCheck, settings

if TYPE_CHECKING:
    from supervisor.engine.engine import Engine

# How long an example takes is no promise of any test, and tells more of the machine than of the code.
UNHURRIED = "unhurried"
settings.register_profile(UNHURRIED, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile(UNHURRIED)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def engine() -> AsyncIterator[Engine]:
    """The process's engine, started by the first test that needs it. Those run on the session's loop."""
    from supervisor.engine.engine import Engine

    async with Engine() as started:
        yield started
