"""Time and concurrency by asyncio, for the procedures."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

from supervisor.cluster.ports import Notice


class AsyncioScheduler:
    """The Scheduler of a real host. `notice` is told of what ended by an error: a defect. Loop thread."""

    def __init__(self, notice: Notice) -> None:
        self._notice = notice
        self._tasks: set[asyncio.Task[None]] = set()

    def now(self) -> float:
        """The loop's time."""
        return asyncio.get_running_loop().time()

    async def sleep(self, seconds: float) -> None:
        """As asyncio's."""
        await asyncio.sleep(seconds)

    def start(self, coroutine: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """A task that is kept until it ends."""
        task = asyncio.get_running_loop().create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    async def together[T](self, *awaitables: Coroutine[Any, Any, T]) -> list[T]:
        """All of them run to their ends, then the first error is raised, if there was one."""
        results = await asyncio.gather(*awaitables, return_exceptions=True)
        for result in results:
            if isinstance(result, BaseException):
                raise result
        return [result for result in results if not isinstance(result, BaseException)]

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._notice("defect", {"error": repr(error)})
