"""Isolates' threads in the kernel's groups: born there without a quota, moved with one, the loop waits for neither."""

from __future__ import annotations

import asyncio
import contextlib
import os
import queue
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from supervisor.host.processor import Processor
from supervisor.limits.cgroups import foreseen_quota
from supervisor.limits.cgroups.leftovers import process_name
from supervisor.limits.cgroups.mounts import Hierarchy, find_hierarchy
from supervisor.pool.run import Placement
from supervisor.spec.task import TaskSpec

GONE = 2**22 + 1  # no thread has such an id
SHOW_CORES = [sys.executable, "-c", "import os; print(*sorted(os.sched_getaffinity(0)))"]


class Starter:
    """A thread that starts others, as the engine's does; they live until the end."""

    def __init__(self) -> None:
        self._asked: queue.Queue[Callable[[], None] | None] = queue.Queue()
        self._over = threading.Event()
        self._threads: list[threading.Thread] = []
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()
        self.id = self._thread.native_id or 0

    def start(self) -> int:
        """Has it start a thread; its Linux id."""
        born: queue.Queue[int] = queue.Queue()
        self._asked.put(lambda: self._threads.append(self._started(born)))
        return born.get()

    def _started(self, born: queue.Queue[int]) -> threading.Thread:
        def live() -> None:
            born.put(threading.get_native_id())
            self._over.wait()

        thread = threading.Thread(target=live)
        thread.start()
        return thread

    def _serve(self) -> None:
        while (work := self._asked.get()) is not None:
            work()

    def end_threads(self) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()

    def end(self) -> None:
        self.end_threads()
        self._asked.put(None)
        self._thread.join()


@pytest.fixture
def starter() -> Iterator[Starter]:
    if foreseen_quota().how is None:
        pytest.skip("no groups can be made on this machine")
    starter = Starter()
    yield starter
    starter.end()


@contextlib.contextmanager
def processor_of(starter: Starter, cores: list[int] | None = None) -> Iterator[Processor]:
    """Threads are over before it ends, as isolates are."""
    with Processor(asyncio.get_running_loop(), starter.id, cores) as processor:
        try:
            yield processor
        finally:
            starter.end_threads()


def task(quota: float | None, **settings: Any) -> TaskSpec:
    return TaskSpec.model_validate(
        {"taskId": "t", "mainPath": "a.js", "pwd": "/tmp", "limits": {"cpu": {"quota": quota}}} | settings
    )


def group_of(thread: int) -> str:
    """The folder, below the process's group, in which a thread is."""
    found = find_hierarchy()
    assert isinstance(found, Hierarchy)
    top = found.own / process_name(os.getpid())
    file = "tasks" if found.version == 1 else "cgroup.threads"
    return next((each.parent.name for each in Path(top).rglob(file) if str(thread) in each.read_text().split()), "")


async def placed(processor: Processor, spec: TaskSpec, thread: int) -> tuple[Placement | OSError | None, bool]:
    """What place() told, and whether it did so at once."""
    told: asyncio.Future[Placement | OSError | None] = asyncio.get_running_loop().create_future()
    processor.place(spec, thread, told.set_result)
    at_once = told.done()
    return await told, at_once


async def test_threads_without_a_quota_are_born_where_they_belong(starter: Starter) -> None:
    with processor_of(starter) as processor:
        thread = starter.start()
        assert group_of(thread) == "rest"
        outcome, at_once = await placed(processor, task(None), thread)
        assert at_once
        assert not processor.is_first(task(None))
        assert outcome is not None
        assert not isinstance(outcome, OSError)
        assert group_of(threading.get_native_id()) == "", "the loop stays outside"
        outcome.leave()


async def test_one_with_a_quota_is_moved_while_the_loop_goes_on(starter: Starter) -> None:
    with processor_of(starter) as processor:
        thread = starter.start()
        assert processor.is_first(task(0.5))
        outcome, at_once = await placed(processor, task(0.5), thread)
        assert not at_once
        assert outcome is not None
        assert not isinstance(outcome, OSError)
        assert group_of(thread).endswith("-t")
        assert outcome.throttled_s() == 0
        outcome.leave()


@pytest.mark.parametrize("cpu", [max(os.sched_getaffinity(0)), sorted(os.sched_getaffinity(0))[:2]])
async def test_a_thread_is_pinned_to_its_cores_and_no_other_is(starter: Starter, cpu: int | list[int]) -> None:
    with processor_of(starter) as processor:
        pinned, free = starter.start(), starter.start()
        assert processor.is_first(task(None, cpu=cpu))
        await placed(processor, task(None, cpu=cpu), pinned)
        await placed(processor, task(None), free)
        assert os.sched_getaffinity(pinned) == ({cpu} if isinstance(cpu, int) else set(cpu))
        assert os.sched_getaffinity(free) == os.sched_getaffinity(0)


async def test_one_that_is_gone_has_no_place_and_what_cannot_be_held_is_told(starter: Starter) -> None:
    with processor_of(starter) as processor:
        assert await placed(processor, task(0.5), GONE) == (None, False)
        assert await placed(processor, task(None, cpu=[0, 1]), GONE) == (None, True)
        outcome, _ = await placed(processor, task(None, cpu=[8000, 8001]), starter.start())
        assert isinstance(outcome, OSError)


async def test_the_hosts_threads_keep_to_their_cores_and_those_to_come_do_not(starter: Starter) -> None:
    before = os.sched_getaffinity(0)
    core = min(before)
    try:
        with processor_of(starter, [core]) as processor:
            assert os.sched_getaffinity(0) == {core}
            assert os.sched_getaffinity(starter.start()) == before
            assert processor.cores().allowed == before
            with processor.on_all_cores():
                child = subprocess.run(  # noqa: ASYNC221  # started by the loop's thread, as a successor is
                    SHOW_CORES, capture_output=True, text=True, timeout=60, check=True
                )
            assert child.stdout.split() == [str(each) for each in sorted(before)]
            assert os.sched_getaffinity(0) == {core}
    finally:
        for thread in os.listdir("/proc/self/task"):
            with contextlib.suppress(ProcessLookupError):  # it is over
                os.sched_setaffinity(int(thread), before)


async def test_what_leaves_after_the_end_is_no_error(starter: Starter) -> None:
    with processor_of(starter) as processor:
        outcome, _ = await placed(processor, task(0.5), starter.start())
    assert outcome is not None
    assert not isinstance(outcome, OSError)
    outcome.leave()
