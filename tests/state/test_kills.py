"""kill -9 at random moments: what was said to be done is there, and nothing is there by halves."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import random
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from supervisor.state.archive import digest_of, found_in, pack
from supervisor.state.bundles import Bundles
from supervisor.state.names import BundleLimits
from supervisor.state.store import Store
from tests.state.archives import tree
from tests.state.test_refusals import ROOT
from tests.state.victim import known

# After so many changes, and then up to so much longer; most kills land in the middle of one. Where there need be none,
# many land in the start.
CHANGES = (0, 10)
LONGER_S = 0.02
PATIENCE_S = 60


@pytest.fixture
def archives(tmp_path: Path) -> Path:
    """Archives of some sizes."""
    folder = tmp_path / "archives"
    folder.mkdir()
    for number in range(4):
        app = tree(
            tmp_path / f"app{number}", {f"d{file % 3}/{file}.js": str(number) * 3000 for file in range(4 * number + 1)}
        )
        with pack(app) as packed:
            (folder / f"{number}").write_bytes(packed.file.read())
    return folder


@pytest.fixture
def victims(tmp_path: Path, archives: Path) -> Iterator[subprocess.Popen[str]]:
    """The program that makes processes to be killed."""
    command = [sys.executable, "-m", "tests.state.victim", str(tmp_path), str(archives)]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield process
        assert process.stdin is not None
        process.stdin.close()
        assert process.wait(30) == 0


def kill_one(victims: subprocess.Popen[str], seed: str, said: Path, changes: int, longer_s: float) -> None:
    """Kills it once it has said of so many changes that they are done, or finds that its own alarm was first."""
    assert victims.stdin is not None
    assert victims.stdout is not None
    wanted = done_in(said) + changes
    victims.stdin.write(f"{seed}\n")
    victims.stdin.flush()
    pid = int(victims.stdout.readline())
    with contextlib.suppress(ProcessLookupError), open_process(pid) as process:
        deadline = time.monotonic() + PATIENCE_S
        while done_in(said) < wanted and not select.select([process], [], [], 0.004)[0]:
            assert time.monotonic() < deadline, "it changes nothing"
        time.sleep(longer_s)
        signal.pidfd_send_signal(process, signal.SIGKILL)
    assert -int(victims.stdout.readline()) in (signal.SIGKILL, signal.SIGALRM), "it ended by itself"


@contextlib.contextmanager
def open_process(pid: int) -> Iterator[int]:
    process = os.pidfd_open(pid)
    try:
        yield process
    finally:
        os.close(process)


def done_in(said: Path) -> int:
    """How many changes it said to be done."""
    return said.read_text().count("\ndone\n") if said.exists() else 0


async def check(folder: Path, said: list[str]) -> None:
    """The state is what was last said to be done, or what was said to be under way."""
    announced = [{"tasks": {}, "blocks": [], "records": {}}, *(json.loads(line) for line in said if line != "done")]
    possible = announced[-1:] if not said or said[-1] == "done" else announced[-2:]
    bundles = Bundles(folder / "bundles")
    async with await Store.open(folder) as store:
        found = await known(store)
        used = {task.bundle for task in await store.tasks() if task.bundle}
    assert found in possible
    for name in os.listdir(folder / "bundles"):
        if not name.startswith("."):
            files = found_in(folder / "bundles" / name, frozenset(), BundleLimits())
            assert digest_of(files) == name, "a bundle that is not whole"
    assert all(bundles.has(digest) for digest in used), "a task without its files"
    bundles.sweep(used, grace_s=-1)
    assert sorted(os.listdir(folder / "bundles")) == sorted([".lock", *used])


def run(folder: Path, victims: subprocess.Popen[str], kills: int) -> None:
    seed = random.randrange(2**32)
    chance = random.Random(seed)
    said = folder / "said"
    changes = halves = 0
    for number in range(kills):
        kill_one(victims, f"{seed} {number}", said, chance.randrange(*CHANGES), chance.uniform(0, LONGER_S))
        text = said.read_text() if said.exists() else ""
        # A write may be cut short too; then the change that it was to announce has not begun.
        lines = text[: text.rfind("\n") + 1].splitlines()
        asyncio.run(check(folder / "state", lines))
        changes += lines.count("done")
        halves += bool(lines) and lines[-1] != "done"
        said.unlink(missing_ok=True)
        if lines:  # what the next one starts from, as far as that is known
            asyncio.run(remember(folder))
    assert changes > kills
    assert halves > 0, "no kill ever hit a change"


async def remember(folder: Path) -> None:
    """Says what there is, as the next may be killed before it says anything."""
    async with await Store.open(folder / "state") as store:
        (folder / "said").write_text(json.dumps(await known(store)) + "\ndone\n")


def test_50_kills(tmp_path: Path, victims: subprocess.Popen[str]) -> None:
    run(tmp_path, victims, 50)


@pytest.mark.slow
def test_200_kills(tmp_path: Path, victims: subprocess.Popen[str]) -> None:
    run(tmp_path, victims, 200)
