"""Time limits for many requests at the cost of one timer."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from supervisor.pool.deadlines import LONGEST_STEP_S, SHORTEST_STEP_S, STEPS_PER_LIMIT, Deadlines
from tests.fakes.virtual_time import VirtualLoop, on_virtual_time


class Requests:
    """In flight, with when each came and when it was told to be late."""

    def __init__(self, limit_ms: float | None) -> None:
        self.loop = asyncio.get_running_loop()
        self.came: dict[int, float] = {}
        self.late: dict[int, float] = {}
        self.in_flight: list[int] = []
        self.deadlines = Deadlines(limit_ms, self.loop, self.on_late, lambda: list(self.in_flight))

    def come(self) -> int:
        number = len(self.came) + 1
        self.came[number] = self.loop.time()
        self.in_flight.append(number)
        self.deadlines.note(number)
        return number

    def go(self, number: int) -> None:
        if number in self.in_flight:
            self.in_flight.remove(number)

    def on_late(self, numbers: list[int]) -> None:
        for number in numbers:
            assert number in self.in_flight
            self.late[number] = self.loop.time() - self.came[number]
            self.in_flight.remove(number)


def step_s(limit_ms: float) -> float:
    return max(SHORTEST_STEP_S, min(LONGEST_STEP_S, limit_ms / 1000 / STEPS_PER_LIMIT))


@pytest.mark.parametrize("limit_ms", [1.0, 50.0, 300.0, 30_000.0, 600_000.0])
def test_an_unanswered_request_is_late_after_the_limit_and_not_much_later(limit_ms: float) -> None:
    @on_virtual_time
    async def check() -> None:
        requests = Requests(limit_ms)
        number = requests.come()
        await asyncio.sleep(limit_ms / 1000 * 3 + 1)
        assert limit_ms / 1000 <= requests.late[number] <= limit_ms / 1000 + 2 * step_s(limit_ms)

    check()


@on_virtual_time
async def test_without_a_limit_nothing_is_ever_late_and_no_timer_runs() -> None:
    requests = Requests(None)
    requests.come()
    await asyncio.sleep(1e7)
    assert not requests.late


@on_virtual_time
async def test_an_answered_request_is_never_late() -> None:
    requests = Requests(300)
    number = requests.come()
    await asyncio.sleep(0.2)
    requests.go(number)
    await asyncio.sleep(10)
    assert not requests.late


@on_virtual_time
async def test_the_timer_rests_while_nothing_is_in_flight_and_starts_again() -> None:
    requests = Requests(300)
    requests.go(requests.come())
    await asyncio.sleep(10)
    number = requests.come()
    await asyncio.sleep(1)
    assert list(requests.late) == [number]


def test_every_request_of_any_traffic_is_held_to_the_limit() -> None:
    """Whatever comes and goes when: late is who stayed over the limit, within two steps, and nobody else."""

    @given(
        limit_ms=st.floats(1, 5000),
        traffic=st.lists(st.tuples(st.floats(0, 3), st.floats(0, 12)), min_size=1, max_size=15),
    )
    def check(limit_ms: float, traffic: list[tuple[float, float]]) -> None:
        async def run() -> None:
            requests = Requests(limit_ms)
            loop = asyncio.get_running_loop()
            wishes: dict[int, float] = {}
            for gap_s, stay_s in traffic:
                await asyncio.sleep(gap_s)
                number = requests.come()
                wishes[number] = stay_s
                loop.call_later(stay_s, requests.go, number)
            await asyncio.sleep(30)
            limit_s, step = limit_ms / 1000, step_s(limit_ms)
            for number, stay_s in wishes.items():
                if number in requests.late:
                    assert limit_s - 1e-6 <= requests.late[number] <= limit_s + 2 * step + 1e-6
                else:
                    assert stay_s <= limit_s + 2 * step + 1e-6

        with asyncio.Runner(loop_factory=VirtualLoop) as runner:
            runner.run(run())

    check()
