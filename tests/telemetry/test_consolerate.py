"""Console lines: a burst, then so many a second; what is dropped is counted and told."""

from __future__ import annotations

import asyncio

from supervisor.telemetry.consolerate import ConsoleRate
from tests.fakes.virtual_time import on_virtual_time


class Told:
    """What was told of losses."""

    def __init__(self) -> None:
        self.losses: list[tuple[str, int]] = []
        loop = asyncio.get_running_loop()
        self.rate = ConsoleRate(loop, lambda task, lines: self.losses.append((task, lines)), per_s=10, burst=20)

    def write(self, count: int, task: str = "a") -> int:
        """How many of so many calls of one line get through."""
        return sum(self.rate.admits(task, b"x") for _ in range(count))


@on_virtual_time
async def test_a_burst_gets_through_and_then_so_many_a_second() -> None:
    told = Told()
    assert told.write(50) == 20
    for _ in range(3):
        await asyncio.sleep(1.0)
        assert told.write(50) == 10


@on_virtual_time
async def test_who_was_quiet_has_its_burst_again_and_no_more() -> None:
    told = Told()
    told.write(50)
    await asyncio.sleep(3600)
    assert told.write(50) == 20


@on_virtual_time
async def test_losses_are_told_once_a_second() -> None:
    told = Told()
    told.write(25)
    told.write(5)
    assert told.losses == []
    await asyncio.sleep(1.01)
    assert told.losses == [("a", 10)]
    await asyncio.sleep(5)
    assert told.losses == [("a", 10)]  # nothing new to tell
    told.write(21)
    await asyncio.sleep(1.01)
    assert told.losses == [("a", 10), ("a", 1)]
    assert told.rate.dropped("a") == 11


@on_virtual_time
async def test_tasks_do_not_share() -> None:
    told = Told()
    told.write(100, "loud")
    assert told.write(20, "quiet") == 20
    assert (told.rate.dropped("loud"), told.rate.dropped("quiet"), told.rate.dropped("unheard of")) == (80, 0, 0)


@on_virtual_time
async def test_lines_count_not_calls() -> None:
    told = Told()
    assert told.rate.admits("a", b"\n" * 14)  # 15 lines
    assert not told.rate.admits("a", b"\n" * 5)
    assert told.rate.admits("a", b"\n" * 4)
    assert told.rate.dropped("a") == 6


@on_virtual_time
async def test_one_call_of_more_lines_than_a_burst_passes_a_full_bucket_only() -> None:
    told = Told()
    assert told.rate.admits("a", b"\n" * 1000)
    assert told.write(1) == 0
    await asyncio.sleep(1.0)
    assert not told.rate.admits("a", b"\n" * 1000)


@on_virtual_time
async def test_a_removed_task_has_its_losses_told_at_once() -> None:
    told = Told()
    told.write(23)
    told.rate.remove("a")
    told.rate.remove("never there")
    assert told.losses == [("a", 3)]
    assert told.write(20) == 20
    await asyncio.sleep(2)
    assert told.losses == [("a", 3)]


@on_virtual_time
async def test_the_close_tells_the_rest() -> None:
    told = Told()
    told.rate.close()
    told.write(22)
    told.rate.close()
    assert told.losses == [("a", 2)]
    await asyncio.sleep(2)
    assert told.losses == [("a", 2)]


@on_virtual_time
async def test_no_limit_is_none() -> None:
    rate = ConsoleRate(asyncio.get_running_loop(), lambda *_: None, per_s=None, burst=1)
    assert all(rate.admits("a", b"x\n" * 1000) for _ in range(1000))
