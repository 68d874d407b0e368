"""An event loop whose clock jumps: timers fire in order and at their time, and nobody waits for them."""

from __future__ import annotations

import asyncio
import functools
import inspect
import selectors
from collections.abc import Callable, Coroutine
from typing import Any

TURN_S = 1e-6  # of every turn of the loop


class _JumpingSelector(selectors.DefaultSelector):
    """Instead of waiting for a timer, moves the clock to it."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 1000.0  # not 0: code must not take that for "never"

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if not ready and timeout is None:
            raise RuntimeError("everybody waits, and no timer is set: this test would hang")
        # Computing takes time too: what looks again and again until a moment has come must not look for ever.
        self.now += TURN_S if ready or not timeout else max(timeout, TURN_S)
        return ready


class VirtualLoop(asyncio.SelectorEventLoop):
    """Time passes while everybody waits, and a little with every turn. Errors in callbacks are kept in `complaints`."""

    def __init__(self) -> None:
        self._jumping = _JumpingSelector()
        super().__init__(self._jumping)
        self.complaints: list[str] = []
        self.set_exception_handler(lambda _, context: self.complaints.append(str(context)))

    def time(self) -> float:
        return self._jumping.now

    def pass_time(self, seconds: float) -> None:
        """Makes time pass while the caller computes."""
        self._jumping.now += seconds


def on_virtual_time[**P](test: Callable[P, Coroutine[Any, Any, None]]) -> Callable[P, None]:
    """Runs a coroutine test on a fresh VirtualLoop; errors that were only logged fail it."""

    @functools.wraps(test)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        with asyncio.Runner(loop_factory=VirtualLoop) as runner:
            runner.run(test(*args, **kwargs))
            loop = runner.get_loop()
            assert isinstance(loop, VirtualLoop)
            assert not loop.complaints, loop.complaints

    # pytest must take its arguments from the coroutine function, and not take that for the test
    run.__signature__ = inspect.signature(test)  # type: ignore[attr-defined]
    del run.__wrapped__
    return run
