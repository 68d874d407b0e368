"""Tasks are applied to a host and removed from it while it may be handed over at any moment."""

from __future__ import annotations

import asyncio
import http.client
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from tools.benchmarks.control import Refusal
from tools.benchmarks.our_host import OurHost, free_ports
from tools.soaking.traffic import Counts
from tools.soaking.wire import HOST

MAIN = "main.js"
SLOW_S = 12.0  # such a task is told of
PATIENCE_S = 60.0  # until a hand-over that is under way is over
AGAIN_S = 0.5


class Tasks:
    """busy: those that come and go, and since when. Loop thread."""

    def __init__(self, host: OurHost, counts: Counts, say: Callable[[str], None]) -> None:
        self.busy: dict[str, float] = {}
        self._host = host
        self._counts = counts
        self._say = say

    @asynccontextmanager
    async def living(self, label: str, source: str, **settings: object) -> AsyncIterator[int | None]:
        """A task that is there within the block: where it listens, None if it could not start."""
        (port,) = free_ports(1)
        applied = False
        self.busy[label] = time.monotonic()
        try:
            try:
                await self.apply(label, source, port, **settings)
                applied = True
            except Refusal:
                pass
            yield port if applied else None
            if applied:
                await self.control(self._host.control.remove, label)
        finally:
            self._slow(label, time.monotonic() - self.busy.pop(label))

    def _slow(self, label: str, took_s: float) -> None:
        if took_s > SLOW_S:
            self._say(f"{label} took {took_s:.0f} s")

    async def apply(self, label: str, source: str, port: int, **settings: object) -> None:
        """Makes it be so. Raises Refusal."""
        folder = self._host.folder / "apps" / label
        folder.mkdir(parents=True, exist_ok=True)
        (folder / MAIN).write_text(source)
        listen = [f"{HOST}:{port}"]
        document = {"taskId": label, "pwd": str(folder), "mainPath": MAIN, "listen": listen, **settings}
        await self.control(self._host.control.apply, document)

    async def control(self, act: Callable[..., Any], *arguments: object) -> Any:
        """Asks the host; once more if it is being handed over. Raises Refusal."""
        deadline = time.monotonic() + PATIENCE_S
        while True:
            try:
                return await asyncio.to_thread(act, *arguments)
            except Refusal as refused:
                if refused.status == http.client.NOT_FOUND and act == self._host.control.remove:
                    return None  # it was removed, and the answer was lost
                if refused.status != http.client.SERVICE_UNAVAILABLE or time.monotonic() > deadline:
                    raise
            except (OSError, http.client.HTTPException) as error:
                if time.monotonic() > deadline:
                    raise
                self._counts.failed(f"the control API: {error!r}")
            await asyncio.sleep(AGAIN_S)
