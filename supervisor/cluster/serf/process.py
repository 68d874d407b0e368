"""The agent's process, behind its dead man's switch: started, heard, kept alive by heartbeats, and ended."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Self

from supervisor.cluster.serf import deadman
from supervisor.cluster.serf.loglines import Line, Lines

BEAT_S = 0.25  # twelve beats fit the shortest patience that makes sense
SWITCH_S = 1.0  # until the switch has acted; it takes milliseconds
PIECE = 2**16  # bytes read at once


class AgentProcess:
    """Loop thread: it is this loop whose standing still ends the agent."""

    def __init__(
        self, process: subprocess.Popen[bytes], beats: int, output: int, tell: Callable[[Line], object]
    ) -> None:
        self._process = process
        self._beats = beats
        self._output = output
        self._tell = tell
        self._lines = Lines()
        self._ended = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._pidfd = os.pidfd_open(process.pid)
        self._loop.add_reader(self._pidfd, self._end)
        self._loop.add_reader(output, self._read)
        self._beat()

    @classmethod
    def start(cls, command: Sequence[str], patience_s: float, keep: int, tell: Callable[[Line], object]) -> Self:
        """Starts the agent, which inherits the descriptor `keep`; `tell` hears its lines. OSError.

        Nothing of our environment goes with it.
        """
        (theirs, beats), (output, written) = os.pipe(), os.pipe()
        try:
            words = [sys.executable, "-I", "-S", str(Path(deadman.__file__)), str(theirs), str(patience_s), *command]
            # A process group of its own: what a terminal sends to ours is not for it, and it can be ended as a whole.
            process = subprocess.Popen(
                words, stdin=subprocess.DEVNULL, stdout=written, stderr=written, pass_fds=(theirs, keep), env={},
                process_group=0,
            )  # fmt: skip
        except BaseException:
            os.close(beats)
            os.close(output)
            raise
        finally:
            os.close(theirs)
            os.close(written)
        for end in (beats, output):
            os.set_blocking(end, False)
        return cls(process, beats, output, tell)

    @property
    def pid(self) -> int:
        """Of the switch; the agent is its child."""
        return self._process.pid

    @property
    def is_over(self) -> bool:
        """Whether it has ended."""
        return self._ended.is_set()

    @property
    def last_words(self) -> str:
        """The last lines that it wrote."""
        return self._lines.last

    async def wait(self) -> int:
        """Returns when it has ended: its exit code, or one of deadman's."""
        await self._ended.wait()
        return self._process.wait()  # it is dead: this takes no time

    async def kill(self) -> None:
        """Ends it without a word to the others; returns when nothing of it is left. May be called twice."""
        self._close_beats()  # the switch kills the agent, and waits for it: nobody inherits what is left
        try:
            async with asyncio.timeout(SWITCH_S):
                await self._ended.wait()
        except TimeoutError:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)  # not reaped, so the id is its own
            await self._ended.wait()
        self._process.wait()
        self._close()

    def _beat(self) -> None:
        with suppress(BlockingIOError, BrokenPipeError):  # it is stopped, or gone: others see to that
            os.write(self._beats, b".")
        self._timer = self._loop.call_later(BEAT_S, self._beat)

    def _end(self) -> None:
        self._loop.remove_reader(self._pidfd)
        while self._output >= 0 and self._read():
            pass
        self._ended.set()

    def _read(self) -> bool:
        """Takes what there is; whether there may be more."""
        try:
            data = os.read(self._output, PIECE)
        except BlockingIOError:
            return False
        if not data:
            self._close_output()
            return False
        for line in self._lines.feed(data):
            self._tell(line)
        return True

    def _close_output(self) -> None:
        if self._output >= 0:
            self._loop.remove_reader(self._output)
            os.close(self._output)
            self._output = -1

    def _close_beats(self) -> None:
        if self._beats >= 0:
            self._timer.cancel()
            os.close(self._beats)
            self._beats = -1

    def _close(self) -> None:
        self._close_output()
        if self._pidfd >= 0:
            os.close(self._pidfd)
            self._pidfd = -1
