"""Programs run to their end or their limit, with real processes."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
from pathlib import Path

import pytest

from supervisor.cluster.power.failures import ProgramFailed
from supervisor.cluster.power.program import run_program
from tests.cluster.power.machines import script

LONG_S = 60.0
PATIENCE_S = 60.0


async def failure(words: list[str], limit_s: float = LONG_S) -> str:
    with pytest.raises(ProgramFailed) as caught:
        await run_program(words, limit_s)
    return caught.value.message


async def gone(pid: int) -> None:
    """Waits until no process has that id; a zombie that nobody reaps counts as gone."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            try:
                if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
                    return
            except FileNotFoundError, ProcessLookupError:
                return
            await asyncio.sleep(0.02)


async def written(file: Path) -> int:
    """The number that a program wrote."""
    async with asyncio.timeout(PATIENCE_S):
        while not file.exists() or not file.read_text().endswith("\n"):
            await asyncio.sleep(0.02)
    return int(file.read_text())


def open_files() -> int:
    gc.collect()  # what earlier tests left to it is not to go in between
    return len(os.listdir("/proc/self/fd"))


async def test_words_are_given_as_they_are_and_nothing_of_our_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET", "x")
    program = script(tmp_path, f'printf "%s|" "$@" > {tmp_path}/words; env > {tmp_path}/env; pwd > {tmp_path}/pwd; cat')
    before = open_files()
    await run_program([program, "a b", "$HOME;", ""], LONG_S, {"WHO": "me"})
    assert (tmp_path / "words").read_text() == "a b|$HOME;||"
    names = {line.partition("=")[0] for line in (tmp_path / "env").read_text().splitlines()}
    assert names - {"PWD", "OLDPWD", "SHLVL", "_"} == {"PATH", "WHO"}
    assert (tmp_path / "pwd").read_text() == "/\n"
    assert open_files() <= before


async def test_an_exit_code_is_told_with_the_last_line_of_the_output(tmp_path: Path) -> None:
    program = script(tmp_path, "echo first; printf 'no \\033[31m such host\\n\\n' >&2; exit 3")
    assert await failure([program]) == f"{program} ended with code 3: no \\x1b[31m such host"
    assert await failure([script(tmp_path, "exit 1")]) == f"{program} ended with code 1"


async def test_a_long_last_line_is_cut_and_much_output_is_no_trouble(tmp_path: Path) -> None:
    program = script(tmp_path, "head -c 3000000 /dev/zero | tr '\\0' x; exit 1")
    message = await failure([program])
    assert len(message) < 300 + len(program)
    assert message.endswith("xxx…")


async def test_the_signal_that_ended_it_is_told(tmp_path: Path) -> None:
    program = script(tmp_path, "kill -TERM $$; sleep 60")
    assert await failure([program]) == f"{program} was killed by SIGTERM"


async def test_what_is_not_there_or_no_program_is_told(tmp_path: Path) -> None:
    missing = str(tmp_path / "missing")
    before = open_files()
    assert await failure([missing]) == f"{missing} cannot be started: No such file or directory"
    plain = tmp_path / "plain"
    plain.write_text("x")
    assert await failure([str(plain)]) == f"{plain} cannot be started: Permission denied"
    assert "no program can be given" in await failure(["/bin/true", "a\0b"])
    assert open_files() <= before


async def test_at_the_limit_it_is_killed_with_what_it_started(tmp_path: Path) -> None:
    program = script(tmp_path, f"sleep 600 & echo $! > {tmp_path}/pid; echo waiting; trap '' TERM; wait")
    running = asyncio.create_task(failure([program], limit_s=5.0))
    child = await written(tmp_path / "pid")
    assert await running == f"{program} took longer than 5 s and was killed: waiting"
    await gone(child)


async def test_who_is_cancelled_leaves_nothing_running(tmp_path: Path) -> None:
    program = script(tmp_path, f"echo $$ > {tmp_path}/pid; sleep 600; true")
    before = open_files()
    running = asyncio.create_task(run_program([program], LONG_S))
    pid = await written(tmp_path / "pid")
    running.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await running
    await gone(pid)
    assert running.cancelled()
    assert open_files() <= before


async def test_what_it_leaves_running_is_not_waited_for_and_lives_on(tmp_path: Path) -> None:
    program = script(tmp_path, f"sleep 600 & echo $! > {tmp_path}/pid")
    await run_program([program], LONG_S)
    child = await written(tmp_path / "pid")
    os.kill(child, 9)  # it is there, or this raises
    await gone(child)
