"""Runs a program to its end or to its time limit; what it said last comes with its failure."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress

from supervisor.cluster.power.failures import ProgramFailed, cut
from supervisor.spec.program import tell_words

TAIL = 4096  # bytes of the output that are kept
PIECE = 2**16  # bytes read at once
PIECES = 16  # read after the end at most: what it left running may write on for ever
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"  # what poweroff is found in, if we have none


async def run_program(words: Sequence[str], limit_s: float, environment: Mapping[str, str] | None = None) -> None:
    """Returns when the program ended with code 0; ProgramFailed otherwise. Loop thread.

    Of our environment it gets PATH alone, besides `environment`. At the limit, or when the caller is cancelled, it is
    killed with its process group; what it left running when it ended by itself is left alone.
    """
    try:
        running = _Running(words, environment or {})
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else "a word holds a character that no program can be given"
        raise ProgramFailed(f"{_name(words)} cannot be started: {why}", "check its path and its mode") from None
    try:
        async with asyncio.timeout(limit_s):
            await running.ended.wait()
    except TimeoutError:
        message = f"{_name(words)} took longer than {limit_s:g} s and was killed{running.last_words}"
        raise ProgramFailed(message, f"run it by hand: `{cut(tell_words(words))}`") from None
    finally:
        code = await running.close()
    if code:
        end = f"ended with code {code}" if code > 0 else f"was killed by {_signal(-code)}"
        message = f"{_name(words)} {end}{running.last_words}"
        raise ProgramFailed(message, f"run it by hand: `{cut(tell_words(words))}`")


def why_not_started(words: Sequence[str]) -> str | None:
    """Why nothing can be started by `words`, as far as files tell before it is needed; None: there is a program."""
    program = words[0]
    is_path = "/" in program
    found = shutil.which(os.path.join("/", program) if is_path else program, path=os.environ.get("PATH", PATH))
    if found is not None:
        return None
    return f"{_name(words)} {'does not exist' if is_path else 'is not found in PATH'}, or cannot be executed"


class _Running:
    """A process in a group of its own, and the tail of what it writes."""

    def __init__(self, words: Sequence[str], environment: Mapping[str, str]) -> None:
        self.ended = asyncio.Event()
        self._tail = b""
        self._output, theirs = os.pipe()
        try:
            self._process = subprocess.Popen(
                list(words), stdin=subprocess.DEVNULL, stdout=theirs, stderr=theirs, cwd="/", process_group=0,
                env={"PATH": os.environ.get("PATH", PATH), **environment},
            )  # fmt: skip
        except BaseException:
            os.close(self._output)
            raise
        finally:
            os.close(theirs)
        self._pidfd = os.pidfd_open(self._process.pid)
        os.set_blocking(self._output, False)
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self._output, self._read)
        self._loop.add_reader(self._pidfd, self._end)

    @property
    def last_words(self) -> str:
        """The last line that it wrote, ready to be put behind a message."""
        lines = [line for line in self._tail.decode(errors="replace").splitlines() if line.strip()]
        return f": {cut(lines[-1])}" if lines else ""

    async def close(self) -> int:
        """Kills it with its group if it still runs; its exit code, or minus the signal that ended it."""
        if not self.ended.is_set():
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)  # not reaped, so the id is its own
            await self.ended.wait()
        self._close_output()
        return self._process.wait()  # it is dead: this takes no time

    def _end(self) -> None:
        self._loop.remove_reader(self._pidfd)
        os.close(self._pidfd)
        for _ in range(PIECES):
            if not self._read():
                break
        self.ended.set()

    def _read(self) -> bool:
        """Takes what there is; whether there may be more."""
        if self._output < 0:
            return False
        try:
            data = os.read(self._output, PIECE)
        except BlockingIOError:
            return False
        if not data:
            self._close_output()
        self._tail = (self._tail + data)[-TAIL:]
        return bool(data)

    def _close_output(self) -> None:
        if self._output >= 0:
            self._loop.remove_reader(self._output)
            os.close(self._output)
            self._output = -1


def _name(words: Sequence[str]) -> str:
    return cut(words[0])


def _signal(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
