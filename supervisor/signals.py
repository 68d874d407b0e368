"""SIGINT and SIGTERM as two steps that a coroutine can wait for: drain, then end."""

from __future__ import annotations

import asyncio
import signal
from types import TracebackType
from typing import Self

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class StopSignals:
    """While entered, the first stop signal asks for a drain and the second for the end; nothing else happens.

    Enter it on the loop's thread, which must be the main one (only there can Python take signals). Handlers only
    record the signal and wake those who wait; leaving gives the signals back to the system.
    """

    def __init__(self) -> None:
        self._received: list[str] = []
        self._drain = asyncio.Event()
        self._end = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None

    async def __aenter__(self) -> Self:
        self._loop = asyncio.get_running_loop()
        for number in STOP_SIGNALS:
            self._loop.add_signal_handler(number, self.request, signal.Signals(number).name)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._loop is not None
        for number in STOP_SIGNALS:
            self._loop.remove_signal_handler(number)

    @property
    def received(self) -> tuple[str, ...]:
        """The names of what asked to stop, in order."""
        return tuple(self._received)

    def request(self, origin: str) -> None:
        """One step further, as if a signal had come; `origin` is its name, for logs. Loop thread."""
        self._received.append(origin)
        (self._end if self._drain.is_set() else self._drain).set()

    async def wait_drain(self) -> str:
        """Returns when the first signal came: its name. At once if it came before."""
        await self._drain.wait()
        return self._received[0]

    async def wait_end(self) -> str:
        """Returns when the second signal came: its name. At once if it came before."""
        await self._end.wait()
        return self._received[1]
