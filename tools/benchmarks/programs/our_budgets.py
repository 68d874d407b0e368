"""Requests of isolated that run into their CPU limit. Arguments: budgets BUSY IDLE TERMINATIONS BUDGET_MS.

Writes one line of JSON, {}, once IDLE isolates have answered and idle, then, after a line on stdin, {"measured_ms":
[...]}: the CPU time that each ended request took on its thread, as the engine's report of the end tells it.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys

import uvloop

from supervisor.engine.engine import Engine
from supervisor.spec.exits import ExitReason
from supervisor.spec.task import TaskSpec
from tools.benchmarks.programs.our_tenants import PROGRAM, Tenant, spec_of

SPIN = "for (;;);"
WAIT_SECONDS = 30.0  # for one end: ten times what it should take with ten busy isolates on one core


async def end_one(engine: Engine, spec: TaskSpec, budget_ms: int) -> float:
    """Boots an isolate, lets a request spin and returns the CPU milliseconds it had when it was over."""
    tenant = Tenant(engine, spec)
    try:
        await tenant.ask(b"/go")
    except RuntimeError:
        pass  # as it must be
    end = await asyncio.wait_for(tenant.over, WAIT_SECONDS)
    if end.reason is not ExitReason.CPU_LIMIT or end.limit != budget_ms or end.measured is None:
        sys.exit(f"expected an end by the CPU limit of {budget_ms} ms, got: {end.describe()}")
    return end.measured


async def budgets(busy: int, idle: int, terminations: int, budget_ms: int) -> None:
    """Keeps `busy` isolates spinning until so many requests have been ended."""
    engine = await Engine().__aenter__()
    spec = spec_of(PROGRAM % SPIN, {"cpu": {"request": f"{budget_ms}ms"}})
    idling = [Tenant(engine, spec) for _ in range(idle)]
    for tenant in idling:
        await tenant.ask()
    print("{}", flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline)

    measured: list[float] = []

    async def keep_busy() -> None:
        while len(measured) < terminations:
            measured.append(await end_one(engine, spec, budget_ms))

    await asyncio.gather(*(keep_busy() for _ in range(busy)))
    print(json.dumps({"measured_ms": measured}), flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    os._exit(0)


if __name__ == "__main__":
    uvloop.run(budgets(*(int(argument) for argument in sys.argv[2:])))
