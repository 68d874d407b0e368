"""How late the loop is: measured by a clock that runs on while it stands still."""

from __future__ import annotations

import asyncio
import time
from typing import cast

import pytest
import uvloop

from supervisor.telemetry.looplag import LoopLag
from tests.fakes.virtual_time import VirtualLoop, on_virtual_time


def virtual() -> tuple[VirtualLoop, LoopLag]:
    loop = cast(VirtualLoop, asyncio.get_running_loop())
    return loop, LoopLag(loop, loop.time)


@on_virtual_time
async def test_a_loop_that_turns_is_not_late() -> None:
    _, lag = virtual()
    with lag:
        await asyncio.sleep(10)
    assert lag.p99() == pytest.approx(0, abs=1e-3)
    assert lag.worst() == pytest.approx(0, abs=1e-3)


@on_virtual_time
async def test_one_stall_in_a_minute_is_the_worst_and_not_the_p99() -> None:
    loop, lag = virtual()
    with lag:
        await asyncio.sleep(30)
        loop.pass_time(2.0)
        await asyncio.sleep(1)
    assert lag.worst() == pytest.approx(2.0, abs=0.06)
    assert lag.p99() < 0.01


@on_virtual_time
async def test_a_loop_that_is_always_late_shows_it() -> None:
    loop, lag = virtual()
    with lag:
        for _ in range(100):
            await asyncio.sleep(0.05)
            loop.pass_time(0.3)
    assert lag.p99() == pytest.approx(0.3, abs=0.06)


@on_virtual_time
async def test_after_a_minute_it_is_forgotten() -> None:
    loop, lag = virtual()
    with lag:
        loop.pass_time(5.0)
        await asyncio.sleep(61)
        assert lag.worst() < 0.01
        assert len(lag._samples) <= 1201


@on_virtual_time
async def test_before_the_first_look_it_is_0_and_after_the_last_none_comes() -> None:
    _, lag = virtual()
    assert (lag.p99(), lag.worst()) == (0.0, 0.0)
    with lag:
        await asyncio.sleep(1)
    looks = len(lag._samples)
    await asyncio.sleep(1)
    assert len(lag._samples) == looks


def test_a_real_loop_that_stands_still_is_seen() -> None:
    """uvloop's own time stands still with it: the clock must not be the loop's."""

    async def stall() -> float:
        with LoopLag(asyncio.get_running_loop(), time.monotonic, step_s=0.001) as lag:
            await asyncio.sleep(0.01)
            time.sleep(0.1)  # noqa: ASYNC251 - a loop that stands still is what is measured
            while not lag.worst() > 0.09:
                await asyncio.sleep(0.001)
            return lag.worst()

    assert uvloop.run(asyncio.wait_for(stall(), 30)) > 0.09
