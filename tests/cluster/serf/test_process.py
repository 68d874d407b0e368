"""The agent's process as the host has it, with a shell in the agent's place."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from supervisor.cluster.serf import deadman
from supervisor.cluster.serf.files import try_lock, write_secret
from supervisor.cluster.serf.loglines import Line
from supervisor.cluster.serf.process import AgentProcess
from tests.cluster.serf.agents import until
from tests.cluster.serf.test_deadman import gone


@asynccontextmanager
async def agent(folder: Path, script: str, lines: list[Line], patience_s: float = 600.0) -> AsyncIterator[AgentProcess]:
    lock = try_lock(folder / "lock")
    assert lock is not None
    try:
        process = AgentProcess.start(["/bin/sh", "-c", script], patience_s, lock, lines.append)
    finally:
        os.close(lock)
    try:
        yield process
    finally:
        await process.kill()


async def longest_pause(seconds: float) -> float:
    """Watches the loop for so long: how long it stood still at most."""
    now = asyncio.get_running_loop().time
    longest, end, last = 0.0, now() + seconds, now()
    while last < end:
        await asyncio.sleep(0.01)
        longest, last = max(longest, now() - last), now()
    return longest


def is_free(file: Path) -> bool:
    """Whether nobody holds the lock."""
    lock = try_lock(file)
    if lock is not None:
        os.close(lock)
    return lock is not None


async def test_its_lines_are_heard_and_its_end_is_told(tmp_path: Path) -> None:
    lines: list[Line] = []
    async with agent(tmp_path, "echo '[WARN] one'; echo two >&2; exit 3", lines) as process:
        assert await process.wait() == 3
        assert lines == [Line("warning", "one"), Line("debug", "two")]
        assert process.last_words == "[WARN] one\ntwo"
        assert process.is_over


async def test_a_loop_that_stands_still_ends_it(tmp_path: Path) -> None:
    lines: list[Line] = []
    async with agent(tmp_path, "echo $$; exec sleep 600", lines, patience_s=1.0) as process:
        await until(lambda: lines)
        longest = await longest_pause(1.5)
        assert not process.is_over or longest > 0.5, "but for a machine that is so busy that the loop did stand still"
        time.sleep(2.0)  # noqa: ASYNC251  # this is what is tried
        assert await process.wait() == deadman.HOST_SILENT
        assert gone(int(lines[0].text))


async def test_the_folder_is_locked_as_long_as_anything_of_it_lives(tmp_path: Path) -> None:
    lines: list[Line] = []
    async with agent(tmp_path, "echo $$; exec sleep 600", lines):
        await until(lambda: lines)
        assert try_lock(tmp_path / "lock") is None
    await until(lambda: is_free(tmp_path / "lock"))  # a switch that is slow is killed, and its agent dies by itself
    assert gone(int(lines[0].text))


async def test_a_switch_that_does_not_act_is_killed_with_its_agent(tmp_path: Path) -> None:
    lines: list[Line] = []
    async with agent(tmp_path, "echo $$; exec sleep 600", lines) as process:
        await until(lambda: lines)
        os.kill(process.pid, signal.SIGSTOP)
        await process.kill()
        await process.kill()
    assert gone(int(lines[0].text))


async def test_nothing_stays_open(tmp_path: Path) -> None:
    gc.collect()  # what earlier tests left to it is not to go in between
    before = len(os.listdir("/proc/self/fd"))
    for script in ("exit 0", "exec sleep 600"):
        async with agent(tmp_path, script, []) as process:
            await asyncio.sleep(0.2)
            if script == "exit 0":
                await process.wait()
    assert len(os.listdir("/proc/self/fd")) <= before


@pytest.mark.parametrize("mask", [0o000, 0o077])
def test_a_secret_is_readable_for_its_owner_alone(tmp_path: Path, mask: int) -> None:
    file = tmp_path / "key"
    file.write_text("old")
    file.chmod(0o644)
    (tmp_path / "key.new").write_text("left behind")
    before = os.umask(mask)
    try:
        write_secret(file, "new")
    finally:
        os.umask(before)
    assert file.read_text() == "new"
    assert file.stat().st_mode & 0o777 == 0o600
    assert [each.name for each in tmp_path.iterdir()] == ["key"]
