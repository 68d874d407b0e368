"""The launcher becomes the program: one process, with everything passed through."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.binary.tiny import LOADER, PATIENCE_S, PLACEHOLDER, Binary, Parts, build
from tools.binary import contents
from tools.runtime_tree.layout import here

PROBE = Path(__file__).with_name("probe.c")


def test_the_program_has_the_process_and_the_arguments(binary: Binary) -> None:
    process = binary.start("tell", "--flag", "a b", "")
    out, err = process.communicate(timeout=PATIENCE_S)
    program = f"argument={binary.runtime / contents.PROGRAM}"
    expected = ["-I", "-B", "-m", "supervisor", "tell", "--flag", "a b", ""]
    assert err == ""
    assert out.splitlines()[0] == f"pid={process.pid}"
    assert out.splitlines()[1:10] == [program, *(f"argument={each}" for each in expected)]


@pytest.mark.parametrize("code", [0, 1, 70, 255])
def test_its_exit_code_is_the_launchers(binary: Binary, code: int) -> None:
    assert binary.run("exit", str(code)).returncode == code


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR2, signal.SIGKILL])
def test_signals_reach_it(binary: Binary, number: int) -> None:
    hang_up = signal.signal(signal.SIGHUP, signal.SIG_DFL)  # who runs the tests may have it ignored, which is inherited
    try:
        process = binary.start("wait")
    finally:
        signal.signal(signal.SIGHUP, hang_up)
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "waiting\n"
        process.send_signal(number)
        process.communicate(timeout=PATIENCE_S)
        assert process.returncode == -number
    finally:
        process.kill()
        process.wait()


def test_it_is_told_where_the_binary_is(binary: Binary, tmp_path: Path) -> None:
    link = tmp_path / "bin" / "isolated"
    link.parent.mkdir()
    link.symlink_to(binary.path)
    path = f"{link.parent}{os.pathsep}{os.environ['PATH']}"
    for command, cwd, expected in (
        ([str(binary.path)], "/", binary.path),
        (["./isolated"], binary.path.parent, f"{binary.path.parent}/./isolated"),
        ([str(link)], "/", link),  # not what it points to: that is another file after an upgrade
        (["sh", "-c", "isolated tell"], "/", link),
    ):
        words = command if command[0] == "sh" else [*command, "tell"]
        out = subprocess.run(
            words, cwd=cwd, env={**binary.environment, "PATH": path}, capture_output=True, text=True, check=True
        ).stdout
        assert f"ISOLATED_BINARY={expected}\n" in out


def test_started_through_a_descriptor_it_knows_its_file(binary: Binary) -> None:
    with binary.path.open("rb") as file:
        fd = file.fileno()
        out = subprocess.run(
            ["isolated", "tell"], executable=f"/proc/self/fd/{fd}", pass_fds=(fd,), env=binary.environment,
            capture_output=True, text=True, check=True,
        ).stdout  # fmt: skip
    assert f"ISOLATED_BINARY={binary.path}\n" in out


def test_a_file_that_was_replaced_is_what_starts_next(binary: Binary, make: Callable[..., Binary]) -> None:
    newer = make("newer", {"data/two": b"two"})
    # The old one is started by a path that the newer file takes before the program starts itself again.
    assert binary.run("exit", "0").returncode == 0
    process = subprocess.Popen(
        ["sh", "-c", 'read -r go; exec "$0" again', str(binary.path)], env=binary.environment, text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip
    os.replace(newer.path, binary.path)
    out, _ = process.communicate("go\n", timeout=PATIENCE_S)
    assert f"argument={newer.runtime / contents.PROGRAM}" in out.splitlines()


@pytest.mark.parametrize("closed", [(0,), (1,), (2,), (0, 1, 2)])
def test_standard_descriptors_that_are_closed_stay_so(binary: Binary, closed: tuple[int, ...]) -> None:
    redirections = " ".join(f"{fd}{'<' if fd == 0 else '>'}&-" for fd in closed)
    done = subprocess.run(
        ["sh", "-c", f'exec "$0" standard {redirections}', str(binary.path)], env=binary.environment, check=False
    )
    assert done.returncode == 7 - sum(1 << fd for fd in closed)
    assert (binary.runtime / "data/one").read_bytes() == b"one" * 5000


def test_programs_get_the_loader_of_their_own_tree(tmp_path: Path, parts: Parts) -> None:
    """A dynamic program, whose loader and C library are those that were unpacked."""
    tree = tmp_path / "tree"
    (tree / "usr/lib").mkdir(parents=True)
    (tree / "usr/bin").mkdir()
    libraries = here().libraries()
    shutil.copy(libraries / here().loader_name, tree / LOADER)
    shutil.copy(libraries / "libc.so.6", tree / "usr/lib")
    loader = f"-Wl,--dynamic-linker={PLACEHOLDER}/{LOADER}"
    rpath = "-Wl,--disable-new-dtags,-rpath,$ORIGIN/../lib"
    subprocess.run(["cc", "-Os", "-o", tree / contents.PROGRAM, PROBE, loader, rpath], check=True)
    shutil.copy("/bin/true", tree / "usr/bin/other")
    identity = build(tmp_path / "isolated", tree, parts.launcher)
    (tmp_path / "base").mkdir(mode=0o700)
    found = Binary(tmp_path / "isolated", identity, tmp_path / "base")
    process = found.start("wait")
    assert process.stdout is not None
    assert process.stdout.readline() == "waiting\n"
    mapped = Path(f"/proc/{process.pid}/maps").read_text()
    process.kill()
    process.communicate()
    assert str(found.runtime / LOADER) in mapped
    assert str(found.runtime / "usr/lib/libc.so.6") in mapped
    assert (found.runtime / "usr/bin/other").read_bytes() == Path("/bin/true").read_bytes()


def test_a_folder_whose_name_is_too_long_for_a_loader_is_refused(tmp_path: Path, parts: Parts) -> None:
    tree = tmp_path / "tree"
    (tree / "usr/bin").mkdir(parents=True)
    loader = f"-Wl,--dynamic-linker={'#' * 20}/{LOADER}"
    subprocess.run(["cc", "-Os", "-o", tree / contents.PROGRAM, PROBE, loader], check=True)
    base = tmp_path / "a-base-with-a-long-name"
    base.mkdir(mode=0o700)
    found = Binary(tmp_path / "isolated", build(tmp_path / "isolated", tree, parts.launcher), base)
    assert f"{base} cannot take the runtime: File name too long" in found.run("tell").stderr
    assert [path.name for path in base.iterdir()] == [".unpack.lock"]
