"""One life of the agent: from an empty folder to an RPC that answers, and to its end."""

from __future__ import annotations

import asyncio
import os
import secrets
import signal
import socket
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress

from supervisor.cluster.serf import deadman, files, keyring
from supervisor.cluster.serf.connection import HOST, Connection, Lost, TimedOut
from supervisor.cluster.serf.errors import AgentError
from supervisor.cluster.serf.loglines import Line, Rate
from supervisor.cluster.serf.options import Rpc, SerfOptions, config_of, shell_of
from supervisor.cluster.serf.problems import explain
from supervisor.cluster.serf.process import AgentProcess
from supervisor.cluster.serf.program import find_serf
from supervisor.cluster.serf.reports import Reports

READY_S = 15.0  # until the RPC answers; 0.05 s on an idle machine
LOCK_S = 5.0  # until the agent of a process before this one is gone
LOOK_S = 0.05
TOKEN_BYTES = 32


class Life:
    """A running agent. Loop thread."""

    def __init__(self, process: AgentProcess, rpc: Rpc) -> None:
        self._process = process
        self._rpc = rpc

    @property
    def pid(self) -> int:
        """Of the dead man's switch; the agent is its child."""
        return self._process.pid

    async def connect(self) -> Connection:
        """A connection of the caller's own: calls that wait for other hosts hold up those behind them. AgentError."""
        deadline = asyncio.get_running_loop().time() + READY_S
        while True:
            try:
                return await Connection.open(self._rpc)
            except (OSError, Lost, TimedOut) as error:
                if self._process.is_over:
                    raise AgentError(*explain(self._process.last_words)) from error
                if asyncio.get_running_loop().time() >= deadline:
                    raise AgentError(f"the agent does not answer its RPC on {self._rpc.address}: {error}") from error
            await asyncio.sleep(LOOK_S)

    async def wait_end(self) -> None:
        """Raises AgentError with the reason when it has ended."""
        code = await self._process.wait()
        raise AgentError(*_why(code, self._process.last_words))


@asynccontextmanager
async def living(
    options: SerfOptions, name: str, tags: Mapping[str, str], reports: Reports, keys: Sequence[bytes], *, is_first: bool
) -> AsyncIterator[Life]:
    """An agent that answers; killed at the end, which the others take for a crash unless it left before. AgentError.

    The first one of a process has these `keys`; one after it those that the cluster gave it meanwhile, or these if they
    were lost.
    """
    program = find_serf(options.program)
    lock = await _lock(options)
    try:
        rpc = Rpc(_free_port(), secrets.token_hex(TOKEN_BYTES))
        _write(options, name, tags, rpc)
        if is_first or not keyring.is_whole(options.keyring):
            files.write_secret(options.keyring, keyring.content(keys))
        command = [str(program), "agent", f"-config-file={options.config}"]
        process = AgentProcess.start(command, options.patience_s, lock, _Log(reports).tell)
    except OSError as error:
        raise AgentError(f"the agent cannot be started: {error}", f"check the folder {options.folder}") from error
    finally:
        os.close(lock)  # the agent has its copy
    try:
        life = Life(process, rpc)
        (await life.connect()).close()
        yield life
    finally:
        await process.kill()
        with suppress(OSError):
            options.rpc.unlink()


class _Log:
    """Passes the agent's lines on, as long as they are not too many."""

    def __init__(self, reports: Reports) -> None:
        self._reports = reports
        self._now = asyncio.get_running_loop().time
        self._rate = Rate(self._now())

    def tell(self, line: Line) -> None:
        if not self._rate.admits(self._now()):
            return
        if dropped := self._rate.take_dropped():
            self._reports.note("warning", "lines of the agent were dropped: it wrote too many", count=dropped)
        self._reports.note(line.level, line.text, source="serf")


async def _lock(options: SerfOptions) -> int:
    deadline = asyncio.get_running_loop().time() + LOCK_S
    try:
        files.make_folder(options.folder)
        while (lock := files.try_lock(options.lock)) is None:
            if asyncio.get_running_loop().time() >= deadline:
                raise AgentError(
                    f"another agent uses {options.folder}",
                    "end the other host of this machine, or give each its folder",
                )
            await asyncio.sleep(LOOK_S)
    except OSError as error:
        raise AgentError(
            f"{options.folder} cannot be used: {error.strerror}", "check that it may be written"
        ) from error
    return lock


def _write(options: SerfOptions, name: str, tags: Mapping[str, str], rpc: Rpc) -> None:
    files.write_secret(options.config, config_of(options, name, tags, rpc))
    files.write_secret(options.rpc, shell_of(rpc))


def _free_port() -> int:
    """Somebody else may take it meanwhile: then the agent says so, and is started again with another."""
    with socket.socket() as sock:
        sock.bind((HOST, 0))
        return int(sock.getsockname()[1])


def _why(code: int, last_words: str) -> tuple[str, str | None]:
    if code == deadman.HOST_SILENT:
        return "the agent was taken down because this host stood still", None
    if code > deadman.SIGNALLED and code - deadman.SIGNALLED in set(signal.Signals):
        return f"the agent was ended by {signal.Signals(code - deadman.SIGNALLED).name}", None
    if code < 0:
        return f"the agent's switch was ended by {signal.Signals(-code).name}", None
    message, remedy = explain(last_words)
    return ("the agent ended", None) if code == 0 and remedy is None else (message, remedy)
