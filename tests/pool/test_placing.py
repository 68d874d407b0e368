"""An isolate's thread is placed before the first line of its task's code, and leaves when it is over."""

from __future__ import annotations

import asyncio
import errno

import pytest

from supervisor.engine.isolate import End
from supervisor.errors import BootError
from supervisor.pool.run import OnPlaced
from supervisor.spec.exits import ExitReason
from supervisor.spec.task import TaskSpec
from tests.fakes.virtual_time import on_virtual_time
from tests.pool.slots import Case, slot_of


class FakePlacement:
    """Implements Placement."""

    def __init__(self) -> None:
        self.stood_still_s = 0.0
        self.left = 0

    def throttled_s(self) -> float:
        return self.stood_still_s

    def leave(self) -> None:
        self.left += 1


class FakePlacer:
    """Implements Placer."""

    def __init__(self, *, first: bool = True, error: OSError | None = None, at_once: bool = True) -> None:
        self.first = first
        self.error = error
        self.at_once = at_once  # or when a test calls finish()
        self.threads: list[int] = []
        self.made: list[FakePlacement] = []
        self.waiting: list[OnPlaced] = []

    def is_first(self, spec: TaskSpec) -> bool:
        return self.first

    def place(self, spec: TaskSpec, thread_id: int, placed: OnPlaced) -> None:
        self.threads.append(thread_id)
        self.waiting.append(placed)
        if self.at_once:
            self.finish()

    def finish(self) -> None:
        placed = self.waiting.pop()
        if self.error is not None:
            placed(self.error)
        else:
            self.made.append(FakePlacement())
            placed(self.made[-1])


def booting(case: Case, *, warm: bool) -> asyncio.Task[None]:
    """A start on an isolate that has a thread already, or has none yet."""
    case.isolates.warm = warm
    return asyncio.create_task(case.slot.start())


def was_booted(case: Case) -> bool:
    """Whether its program was given to it."""
    return case.isolate.life.spec is not None


@on_virtual_time
async def test_a_warm_thread_is_placed_before_it_boots() -> None:
    placer = FakePlacer()
    case = slot_of(placer=placer)
    starting = booting(case, warm=True)
    await asyncio.sleep(0)
    assert placer.threads == [case.isolate.id]
    assert was_booted(case)
    case.isolate.tell_ready()
    await starting


@on_virtual_time
async def test_one_that_is_not_warm_waits_for_its_thread() -> None:
    placer = FakePlacer()
    case = slot_of(placer=placer)
    starting = booting(case, warm=False)
    await asyncio.sleep(0)
    assert not was_booted(case)
    case.isolate.tell_warm()
    assert placer.threads == [case.isolate.id]
    assert was_booted(case)
    case.isolate.tell_ready()
    await starting


@on_virtual_time
async def test_one_without_limits_boots_at_once_and_is_placed_when_it_has_a_thread() -> None:
    placer = FakePlacer(first=False)
    case = slot_of(placer=placer)
    starting = booting(case, warm=False)
    await asyncio.sleep(0)
    assert was_booted(case)
    assert placer.threads == []
    case.isolate.tell_warm()
    assert placer.threads == [case.isolate.id]
    case.isolate.tell_ready()
    await starting


@on_virtual_time
async def test_it_leaves_when_it_is_over_and_what_it_stood_still_stays() -> None:
    placer = FakePlacer()
    case = await slot_of(placer=placer).started()
    (placement,) = placer.made
    placement.stood_still_s = 1.5
    stop = asyncio.create_task(case.slot.stop(1))
    await asyncio.sleep(0)
    case.isolate.exit(ExitReason.DRAINED)
    await stop
    assert [each.left for each in placer.made] == [1]
    assert case.slot.history.throttled_s == 1.5


@on_virtual_time
async def test_nothing_runs_while_its_thread_is_on_the_way_and_others_do_not_wait() -> None:
    placer = FakePlacer(at_once=False)
    case = slot_of(placer=placer)
    starting = booting(case, warm=True)
    await asyncio.sleep(1 / 1000)
    assert not was_booted(case)
    placer.finish()
    assert was_booted(case)
    case.isolate.tell_ready()
    await starting


@on_virtual_time
async def test_one_that_ends_while_its_thread_is_on_the_way_leaves_its_place() -> None:
    placer = FakePlacer(at_once=False)
    case = slot_of(placer=placer)
    starting = booting(case, warm=True)
    await asyncio.sleep(0)
    case.isolate.exit(ExitReason.KILLED)
    await asyncio.wait([starting])
    placer.finish()
    assert [each.left for each in placer.made] == [1]
    assert not was_booted(case)


@pytest.mark.parametrize("warm", [True, False])
def test_what_cannot_be_placed_never_runs(warm: bool) -> None:
    @on_virtual_time
    async def check() -> None:
        case = slot_of(placer=FakePlacer(error=OSError(errno.ENOSPC, "No space left on device")))
        starting = booting(case, warm=warm)
        await asyncio.sleep(0)
        if not warm:
            case.isolate.tell_warm()
        assert not was_booted(case)
        assert case.isolate.life.asked_to_end == [End.KILLED]
        case.isolate.obey()
        with pytest.raises(BootError, match="its CPU limits cannot be held: No space left on device"):
            await starting

    check()
