"""Runtimes in their folders: unpacked once, whole or not at all, and deleted when nobody uses them."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.binary.tiny import PATIENCE_S, Binary
from tools.binary import archive

HOUR_S = 3600
DAMAGED = 65


@pytest.fixture
def waiting(binary: Binary) -> Iterator[subprocess.Popen[str]]:
    """A process that uses the runtime."""
    process = binary.start("wait")
    assert process.stdout is not None
    assert process.stdout.readline() == "waiting\n"
    yield process
    process.kill()
    process.communicate()


def names(base: Path) -> set[str]:
    """What is in a base, but for the lock."""
    return {path.name for path in base.iterdir()} - {".unpack.lock"}


def age(path: Path, seconds: float) -> None:
    """Makes a runtime look as if it was started last so long ago."""
    then = time.time() - seconds
    os.utime(path, (then, then))


def test_the_second_start_uses_what_the_first_unpacked(binary: Binary) -> None:
    binary.told()
    before = (binary.runtime / "data/one").stat()
    binary.told()
    after = (binary.runtime / "data/one").stat()
    assert (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns)
    assert names(binary.base) == {binary.identity}
    assert binary.runtime.stat().st_mode & 0o777 == 0o700


def test_first_starts_at_once_share_one_folder(make: Callable[..., Binary]) -> None:
    binary = make(files={f"data/{number}": os.urandom(200_000) for number in range(20)})
    processes = [binary.start("tell") for _ in range(12)]
    for process in processes:
        out, err = process.communicate(timeout=PATIENCE_S)
        assert (process.returncode, err) == (0, "")
        assert f"argument={binary.runtime}" in out
    assert names(binary.base) == {binary.identity}


def test_an_unpacking_that_was_killed_is_done_again(make: Callable[..., Binary]) -> None:
    """By the kernel, at the first file that is longer than a file may be: this is always in the middle."""
    binary = make(files={"data/small": b"small", "data/large": os.urandom(9_000_000)})
    limits = ["prlimit", "--fsize=8000000", "--core=0"]
    done = subprocess.run(
        [*limits, str(binary.path), "tell"], env=binary.environment, stdin=subprocess.DEVNULL, capture_output=True,
        timeout=PATIENCE_S, check=False,
    )  # fmt: skip
    assert done.returncode == -signal.SIGXFSZ
    assert (binary.base / f"{binary.identity}.partial" / "data/large").stat().st_size == 8_000_000
    assert not binary.runtime.exists()
    binary.told()
    assert names(binary.base) == {binary.identity}


def test_what_others_left_half_done_goes(binary: Binary) -> None:
    for suffix in (".partial", ".removed"):
        (binary.base / f"{binary.identity}{suffix}" / "deep").mkdir(parents=True)
        (binary.base / f"{'a' * 32}{suffix}").mkdir()
    (binary.base / "mine").mkdir()
    binary.told()
    assert names(binary.base) == {binary.identity, "mine"}


@pytest.mark.parametrize("harm", ["gone", "shorter", "list", "list-cut"])
def test_a_folder_that_is_not_whole_is_made_again(binary: Binary, harm: str) -> None:
    binary.told()
    one, listed = binary.runtime / "data/one", binary.runtime / archive.FILES
    match harm:
        case "gone":
            one.unlink()
        case "shorter":
            one.write_bytes(b"")  # what a power cut makes of a file
        case "list":
            listed.unlink()
        case _:
            listed.write_text(listed.read_text()[:10])
    binary.told()
    assert one.read_bytes() == b"one" * 5000
    assert names(binary.base) == {binary.identity}


def places(path: Path) -> dict[str, int]:
    """Offsets in a binary whose byte is changed."""
    whole = path.read_bytes()
    _, offset, size, _, _ = archive.TRAILER.unpack(whole[-archive.TRAILER.size :])
    frame, trailer = offset, offset + size
    return {"head": frame, "early": frame + size // 3, "late": frame + size * 2 // 3, "checksum": trailer - 1,
            "magic": trailer, "offset": trailer + 8, "size": trailer + 16, "id": len(whole) - 1}  # fmt: skip


@pytest.mark.parametrize("place", ["head", "early", "late", "checksum", "magic", "offset", "size", "id"])
def test_a_damaged_file_is_refused(make: Callable[..., Binary], place: str) -> None:
    binary = make(files={"data/noise": os.urandom(300_000)})
    content = bytearray(binary.path.read_bytes())
    content[places(binary.path)[place]] ^= 0x80
    binary.path.write_bytes(content)
    done = binary.run("tell")
    assert done.returncode == DAMAGED
    assert done.stderr.startswith("isolated: this file is damaged: ")
    assert names(binary.base) == set()


@pytest.mark.parametrize("change", [-1, -1000, 1])
def test_a_file_of_another_length_is_refused(binary: Binary, change: int) -> None:
    content = binary.path.read_bytes()
    binary.path.write_bytes(content[:change] if change < 0 else content + b"x")
    done = binary.run("tell")
    assert (done.returncode, names(binary.base)) == (DAMAGED, set())


def test_the_same_content_has_the_same_id_at_any_level(binary: Binary, make: Callable[..., Binary]) -> None:
    again = make("again", {"data/one": b"one" * 5000, "data/empty": b""})
    assert again.identity == binary.identity
    assert make("other", {"data/one": b"two"}).identity != binary.identity


def test_old_runtimes_that_nobody_uses_go(binary: Binary, make: Callable[..., Binary]) -> None:
    binary.told()
    age(binary.runtime, HOUR_S + 60)
    newer = make("newer", {"data/two": b"two"})
    newer.told()
    assert names(binary.base) == {newer.identity}


def test_a_warm_start_cleans_up_too(binary: Binary, make: Callable[..., Binary]) -> None:
    newer = make("newer", {"data/two": b"two"})
    binary.told()
    newer.told()
    assert names(binary.base) == {binary.identity, newer.identity}  # young: both may be in use in turn
    age(binary.runtime, HOUR_S + 60)
    newer.told()
    assert names(binary.base) == {newer.identity}


def test_one_that_is_in_use_stays(binary: Binary, make: Callable[..., Binary], waiting: subprocess.Popen[str]) -> None:
    age(binary.runtime, HOUR_S + 60)
    newer = make("newer", {"data/two": b"two"})
    newer.told()
    assert names(binary.base) == {binary.identity, newer.identity}
    assert (binary.runtime / "data/one").is_file()
    waiting.kill()
    waiting.wait()
    newer.told()
    assert names(binary.base) == {newer.identity}


def test_a_start_makes_a_runtime_young_again(binary: Binary) -> None:
    binary.told()
    age(binary.runtime, HOUR_S + 60)
    binary.told()
    assert time.time() - binary.runtime.stat().st_mtime < HOUR_S
