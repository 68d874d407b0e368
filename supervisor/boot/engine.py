"""dnsmasq as an engine: started, listened to, started again when it ends, and ended with us."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from supervisor.boot.log import Log
from supervisor.errors import IsolatedError
from supervisor.pool.backoff import Backoff

END_S = 5.0  # dnsmasq ends at once when asked; what takes longer is killed
LINE_MAX = 2**16
# What dnsmasq needs: ports below 1024, answers to who has no address yet, and router advertisements.
RIGHTS = "+net_admin,+net_raw,+net_bind_service"


class EngineFailed(IsolatedError):
    """dnsmasq cannot be started."""


def dnsmasq_command(program: Path, configuration: Path, user: str) -> list[str]:
    """How it is started: as `user` from the first, since a process that changes its user would outlive us.

    The kernel forgets who is to die with whom when a process gives up rights (prctl(2), PR_SET_PDEATHSIG).
    EngineFailed without setpriv, or dnsmasq.
    """
    own = ["--keep-in-foreground", f"--conf-file={configuration}"]
    if not os.access(program, os.X_OK):
        raise EngineFailed(f"{program} is not a program", "install dnsmasq, or correct `dnsmasq`")
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        raise EngineFailed("setpriv is not here", "install it: it comes with util-linux")
    become = [] if os.geteuid() != 0 else [f"--reuid={user}", "--clear-groups", f"--inh-caps={RIGHTS}"]
    ambient = [f"--ambient-caps={RIGHTS}"] if become else []
    return [setpriv, "--pdeathsig=TERM", *become, *ambient, str(program), *own]


class Engine:
    """Async context: inside it the program runs, or is about to run again. Loop thread; entered once.

    `tell` gets each line that it writes. It is started again after the pauses of tasks that fail (pool/backoff.py).
    """

    def __init__(self, command: Sequence[str], tell: Callable[[str], object], log: Log) -> None:
        self._command = list(command)
        self._tell = tell
        self._log = log
        self._last = ""  # what it said last: if it ends, most likely why
        self._process: asyncio.subprocess.Process | None = None
        self._task: asyncio.Task[None] | None = None
        self.starts = 0

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._run())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._task is not None
        self._task.cancel()
        await asyncio.wait({self._task})

    @property
    def pid(self) -> int | None:
        """Its process id while it runs."""
        return None if self._process is None or self._process.returncode is not None else self._process.pid

    def reload(self) -> None:
        """Makes it read the machines that were heard of again."""
        if self.pid is not None:
            os.kill(self.pid, signal.SIGHUP)

    async def _run(self) -> None:
        loop, backoff = asyncio.get_running_loop(), Backoff()
        while True:
            started = loop.time()
            try:
                code = await self._once()
                self._log.error("dnsmasq ended", code=code, said=self._last)
            except OSError as error:
                self._log.error("dnsmasq does not start", why=error.strerror)
            backoff = backoff.after_failure(now=loop.time(), lived_s=loop.time() - started)
            await asyncio.sleep(backoff.wait_s(loop.time()))

    async def _once(self) -> int:
        """Runs it until it ends; ends it if the task is cancelled."""
        self.starts += 1
        self._process = process = await asyncio.create_subprocess_exec(
            *self._command,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
            limit=LINE_MAX,
            process_group=0,  # what a terminal sends to us must not come to it, too
        )
        try:
            await self._listen(process)
            return await process.wait()
        finally:
            await _end(process)

    async def _listen(self, process: asyncio.subprocess.Process) -> None:
        assert process.stderr is not None
        while True:
            try:
                line = await process.stderr.readline()
            except ValueError:  # longer than LINE_MAX: no line of dnsmasq's
                continue
            if not line:
                return
            text = line.decode(errors="replace").strip()
            if text:
                self._last = text
                self._tell(text)


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.returncode is not None:
        return
    process.terminate()
    try:
        async with asyncio.timeout(END_S):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()
