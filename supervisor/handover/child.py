"""The successor's process: started, watched, and ended by its own id if it has to be."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
from collections.abc import Callable, Mapping, Sequence
from typing import Self

from supervisor.handover.lines import Lines

PIECE = 2**16  # bytes read at once


class Child:
    """A child process whose stderr comes through us. Loop thread; nobody else may reap it."""

    def __init__(self, process: subprocess.Popen[bytes], stderr: int, lines: Lines) -> None:
        self._process = process
        self._stderr = stderr
        self._pidfd = os.pidfd_open(process.pid)
        self._ended = asyncio.Event()
        self.lines = lines
        loop = asyncio.get_running_loop()
        os.set_blocking(stderr, False)
        loop.add_reader(stderr, self._read)
        loop.add_reader(self._pidfd, self._end)

    @classmethod
    def start(
        cls,
        command: Sequence[str],
        environment: Mapping[str, str],
        keep: Sequence[int],
        tell: Callable[[bytes], object],
    ) -> Self:
        """Starts `command`, which inherits the descriptors `keep`; lines of its stderr go to `tell`.

        OSError, ValueError, IndexError: there is no such program.
        """
        ours, theirs = os.pipe()
        try:
            # A process group of its own: what a terminal sends to ours is relayed, and must not come twice.
            process = subprocess.Popen(
                list(command), stdin=subprocess.DEVNULL, stderr=theirs, pass_fds=keep, env=dict(environment),
                process_group=0,
            )  # fmt: skip
        except BaseException:
            os.close(ours)
            raise
        finally:
            os.close(theirs)
        return cls(process, ours, Lines(tell))

    @property
    def pid(self) -> int:
        """Its process id, valid as long as this object."""
        return self._process.pid

    @property
    def code(self) -> int | None:
        """None while it lives; else its exit code, or minus the number of the signal that ended it."""
        if self._process.returncode is not None:
            return self._process.returncode
        found = os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)  # it stays for whom we exec into
        if found is None:
            return None
        return found.si_status if found.si_code == os.CLD_EXITED else -found.si_status

    async def wait_end(self) -> None:
        """Returns when it has ended."""
        await self._ended.wait()

    def signal(self, number: int) -> None:
        """Sends it a signal; nothing happens if it has ended."""
        if self._process.returncode is None:  # not reaped, so the id is still its own
            os.kill(self.pid, number)

    async def end(self, patience_s: float) -> None:
        """Returns when it has ended: by itself within `patience_s`, or else killed; its process group is gone too."""
        try:
            async with asyncio.timeout(patience_s):
                await self._ended.wait()
        except TimeoutError:
            pass
        self._kill_group()
        await self._ended.wait()

    def reap(self) -> None:
        """Gives its id back; it has to have ended."""
        self._process.wait()

    def _kill_group(self) -> None:
        """Ends it, and what it started if that is a launcher. Its id is the group's as long as it is not reaped."""
        try:
            os.killpg(self.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass

    def release(self) -> None:
        """Stops watching, telling what is still there of its stderr; it lives on if it does. May be called twice.

        From then on only `pid`, `code`, `signal()` and `reap()` are left.
        """
        if self._pidfd >= 0:
            asyncio.get_running_loop().remove_reader(self._pidfd)
            os.close(self._pidfd)
            self._pidfd = -1
        while self._stderr >= 0 and self._read():
            pass
        self._close_stderr()

    def _read(self) -> bool:
        """Takes what there is; whether there may be more."""
        try:
            data = os.read(self._stderr, PIECE)
        except BlockingIOError:
            return False
        except OSError:
            data = b""
        if data:
            self.lines.feed(data)
        else:
            self._close_stderr()
        return bool(data)

    def _close_stderr(self) -> None:
        if self._stderr >= 0:
            asyncio.get_running_loop().remove_reader(self._stderr)
            os.close(self._stderr)
            self._stderr = -1
            self.lines.finish()

    def _end(self) -> None:
        asyncio.get_running_loop().remove_reader(self._pidfd)
        self._ended.set()
