"""Whatever a successor does or fails to do: it is the host or dead in the end, and the operator reads why."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from pathlib import Path

import pytest

from supervisor.errors import HandoverFailed, Refused
from supervisor.handover import predecessor as module
from supervisor.handover.handed import Handed
from supervisor.handover.offer import Offer
from supervisor.handover.predecessor import Predecessor, Standing
from tests.functional.running import ROOT, environment

PROGRAM = str(Path(__file__).parent / "odd_successor.py")
READY_S = 60.0
ENVIRONMENT = {**environment(), "PYTHONPATH": str(ROOT), "NOTIFY_SOCKET": "@nobody"}


class Attempt:
    """A predecessor, the lines it passed on, and what it tried."""

    def __init__(self) -> None:
        self.lines: list[bytes] = []
        self.predecessor = Predecessor(tell=self.lines.append, environ=ENVIRONMENT)

    async def run(self, oddity: str, ready_s: float = READY_S, command: list[str] | None = None) -> Handed:
        return await self.predecessor.run(command or [sys.executable, PROGRAM, oddity], Offer({"a": 1}), ready_s)

    async def failure(self, oddity: str, ready_s: float = READY_S, command: list[str] | None = None) -> str:
        before, others = descriptors(), children()
        with pytest.raises(HandoverFailed) as error:
            await self.run(oddity, ready_s, command)
        assert self.predecessor.standing is Standing.HOST
        assert self.predecessor.handed is None
        assert descriptors() <= before
        assert children() <= others
        assert "goes on" in str(error.value.remedy)
        return error.value.message


async def gone(handed: Handed) -> None:
    """Returns when a successor, which has nothing to do here, has ended."""
    while handed.child.code is None:
        await asyncio.sleep(0.01)
    handed.child.reap()


def descriptors() -> set[str]:
    return set(os.listdir("/proc/self/fd"))


def children() -> set[str]:
    found: set[str] = set()
    for task in Path("/proc/self/task").iterdir():
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):  # that thread is over
            found.update((task / "children").read_text().split())
    return found


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """For successors that end by themselves, however long that takes them: their codes are what is looked at."""
    monkeypatch.setattr(module, "END_S", READY_S)


async def test_a_successor_that_takes_over_is_told_of() -> None:
    attempt = Attempt()
    handed = await attempt.run("well")
    assert handed.ready == {"tasks": 3}
    assert attempt.predecessor.standing is Standing.GONE
    assert attempt.lines == [b"one\n", b"two \x1b[31mred\n", b"three\n"]
    with pytest.raises(Refused):
        await attempt.run("well")
    await gone(handed)
    assert handed.exit_code == 0


@pytest.mark.usefixtures("patient")
async def test_a_crash_is_told_with_the_last_lines_and_nothing_escapes_into_the_terminal() -> None:
    why = await Attempt().failure("crashes")
    assert why == (
        "the successor ended with code 9 while it was booting the tasks; its last lines:\n"
        "  one\n  two \\x1b[31mred\n  three"
    )


async def test_a_successor_that_gives_up_says_why_on_one_line() -> None:
    assert "gave up: no\\nroom" in await Attempt().failure("gives-up")
    assert "gave up: late" in await Attempt().failure("gives-up-late")


async def test_it_may_be_tried_again_after_a_failure() -> None:
    attempt = Attempt()
    await attempt.failure("crashes")
    handed = await attempt.run("well")
    await gone(handed)


async def test_a_successor_that_says_nothing_in_time_is_ended() -> None:
    why = await Attempt().failure("silent", 0.3)
    assert "not ready within 0.3 s" in why
    assert "had not said hello" in why


async def test_a_successor_that_is_not_ready_in_time_is_ended() -> None:
    """It gets as much time as it needs to come to its boot, on whatever machine."""
    for ready_s in (3.0, 10.0, 40.0):
        why = await Attempt().failure("sleeps", ready_s)
        assert f"not ready within {ready_s:g} s" in why
        if "was booting" in why:
            break
    assert "was booting" in why


async def test_a_successor_that_ignores_that_it_is_to_take_over_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "COMMIT_S", 0.3)
    assert "did not take over" in await Attempt().failure("ignores-commit")


@pytest.mark.parametrize(
    ("oddity", "words"),
    [
        ("foreign", "speaks versions 99"),
        ("garbage", "announced"),
        ("launcher", "another process"),
        ("leaves-a-child", "ended with code 5"),
    ],
)
async def test_strangers_are_ended(oddity: str, words: str) -> None:
    assert words in await Attempt().failure(oddity)


@pytest.mark.usefixtures("patient")
@pytest.mark.parametrize(
    ("command", "words"),
    [
        (["/nowhere/isolated"], "cannot start /nowhere/isolated: No such file"),
        ([PROGRAM], "Permission denied"),
        (["a\0b"], "cannot start a\\x00b"),
        ([sys.executable, "-c", ""], "ended with code 0 while it had not said hello"),
        ([sys.executable, "-c", "import os; os.abort()"], "SIGABRT"),
    ],
)
async def test_programs_that_are_not_isolated(command: list[str], words: str) -> None:
    assert words in await Attempt().failure("", command=command)


async def test_an_empty_command_is_told() -> None:
    with pytest.raises(HandoverFailed, match="without a name"):
        await Predecessor(environ=ENVIRONMENT).run([], Offer({}), READY_S)


async def test_two_at_once_are_refused_and_the_first_goes_on() -> None:
    attempt = Attempt()
    first = asyncio.create_task(attempt.run("well"))
    await asyncio.sleep(0)
    with pytest.raises(Refused, match="already"):
        await attempt.run("well")
    handed = await first
    await gone(handed)


async def test_a_hand_over_that_is_cancelled_ends_the_successor() -> None:
    attempt, others = Attempt(), children()
    running = asyncio.create_task(attempt.run("sleeps"))
    while not attempt.lines:
        await asyncio.sleep(0.01)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert children() <= others
    assert attempt.predecessor.standing is Standing.HOST


async def test_a_cancellation_between_commit_and_its_answer_does_not_leave_two_hosts() -> None:
    attempt = Attempt()
    running: list[asyncio.Task[Handed]] = []

    def last_words() -> dict[str, int]:
        asyncio.get_running_loop().call_soon(running[0].cancel)
        return {}

    command = [sys.executable, PROGRAM, "well"]
    running.append(asyncio.create_task(attempt.predecessor.run(command, Offer({}), READY_S, last_words=last_words)))
    with pytest.raises(asyncio.CancelledError):
        await running[0]
    handed = attempt.predecessor.handed
    assert handed is not None
    assert attempt.predecessor.standing is Standing.GONE
    await gone(handed)


async def test_a_defect_in_the_last_words_ends_the_successor() -> None:
    def last_words() -> dict[str, int]:
        raise ZeroDivisionError

    attempt, others = Attempt(), children()
    with pytest.raises(ZeroDivisionError):
        await attempt.predecessor.run([sys.executable, PROGRAM, "well"], Offer({}), READY_S, last_words=last_words)
    assert children() <= others
    assert attempt.predecessor.standing is Standing.HOST
