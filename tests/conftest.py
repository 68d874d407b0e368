"""What all tests share: one V8, as it starts only once per process, how examples are generated, and interrupts."""

from __future__ import annotations

import signal
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any

import pytest_asyncio
from hypothesis import HealthCheck, settings

if TYPE_CHECKING:
    from supervisor.engine.engine import Engine

# How long an example takes says how busy the machine is: 200 ms pass while it does something else.
UNHURRIED: dict[str, Any] = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow]}
# The same examples every time: a run that fails, fails again. New ones are looked for with --hypothesis-profile=search.
settings.register_profile("same", **UNHURRIED, derandomize=True)
settings.register_profile("search", **UNHURRIED, derandomize=False)
settings.load_profile("same")

# What a shell starts with `&` ignores interrupts, and so does all that this starts: tests send some.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def engine() -> AsyncIterator[Engine]:
    """The process's engine, started by the first test that needs it. Those run on the session's loop."""
    from supervisor.engine.engine import Engine

    async with Engine() as started:
        yield started
