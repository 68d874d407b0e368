"""tools/bootstrap as a user sees it: exit codes, messages, and an old tree that survives a failure."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tools.runtime_tree import packages, process, steps, tree
from tools.runtime_tree.faults import MEANINGS, Cause, Fault
from tools.runtime_tree.layout import CHECKOUT, Layout

DEAD = "http://127.0.0.1:9/debian"  # the discard port: refused at once on any machine that does not serve it
PATIENCE_S = 240  # a machine with much else to do needs some seconds to start a program
needs_apt = pytest.mark.skipif(not shutil.which("apt-get"), reason="this machine has no apt")


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout with the tool in it and a tree from an earlier recipe."""
    shutil.copytree(CHECKOUT / "tools", tmp_path / "tools", ignore=shutil.ignore_patterns("__pycache__"))
    old = tmp_path / ".runtime" / "trees" / "old" / "usr"
    old.mkdir(parents=True)
    (old / "marker").write_text("old")
    (tmp_path / ".runtime" / "usr").symlink_to("trees/old/usr")
    return tmp_path


def bootstrap(checkout: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(checkout / "tools" / "bootstrap"), *arguments],
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE_S,
    )


@needs_apt
def test_a_dead_mirror_is_told_and_the_old_tree_stays(checkout: Path) -> None:
    done = bootstrap(checkout, ISOLATED_DEBIAN_MIRROR=DEAD)
    assert done.returncode == Cause.NETWORK, done.stderr
    assert DEAD in done.stderr
    assert "ISOLATED_DEBIAN_MIRROR" in done.stderr.splitlines()[-1]
    assert (checkout / ".runtime" / "usr" / "marker").read_text() == "old"
    assert not tree.taken(Layout(checkout, "x86_64")).exists()


@needs_apt
def test_an_archive_that_debian_did_not_sign_is_refused(checkout: Path, tmp_path: Path) -> None:
    release = tmp_path / "mirror" / "dists" / packages.SUITE
    release.mkdir(parents=True)
    (release / "Release").write_text(f"Suite: {packages.SUITE}\nComponents: main\nArchitectures: amd64 arm64\n")
    done = bootstrap(checkout, ISOLATED_DEBIAN_MIRROR=f"file:{tmp_path / 'mirror'}")
    assert done.returncode == Cause.SIGNATURE, done.stderr
    assert "not signed by Debian" in done.stderr
    assert (checkout / ".runtime" / "usr" / "marker").read_text() == "old"


def test_a_mirror_that_is_no_uri_is_told(checkout: Path) -> None:
    done = bootstrap(checkout, ISOLATED_DEBIAN_MIRROR="nonsense")
    assert done.returncode == Cause.NO_MIRROR
    assert "'nonsense'" in done.stderr


def test_a_machine_without_apt_is_told(checkout: Path, tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "python3").symlink_to(Path(sys.executable).resolve())
    done = bootstrap(checkout, PATH=str(tmp_path / "bin"))
    assert done.returncode == Cause.MACHINE, done.stderr
    assert "apt-get" in done.stderr


def test_check_changes_nothing_and_says_what_waits(checkout: Path) -> None:
    before = sorted((checkout / ".runtime").rglob("*"))
    done = bootstrap(checkout, "--check")
    assert done.returncode == Cause.STALE
    assert "packages, tree, venv, js, native, cffi" in done.stderr
    assert sorted((checkout / ".runtime").rglob("*")) == before


def test_a_step_that_does_not_exist_is_wrong_usage(checkout: Path) -> None:
    done = bootstrap(checkout, "--step", "jss")
    assert done.returncode == 2
    assert "jss" in done.stderr
    assert "native" in done.stderr


def test_help_names_every_step_and_exit_code(checkout: Path) -> None:
    done = bootstrap(checkout, "--help")
    assert done.returncode == 0
    for step in steps.STEPS:
        assert f"{step.name}  " in done.stdout
    assert set(MEANINGS) == set(Cause)
    for cause, meaning in MEANINGS.items():
        assert f"{int(cause)}" in done.stdout
        assert meaning in done.stdout


def test_a_second_run_waits_for_the_first(checkout: Path) -> None:
    lock = checkout / ".runtime" / "lock"
    script = checkout / "tools" / "bootstrap"
    with subprocess.Popen(["flock", str(lock), "cat"], stdin=subprocess.PIPE) as holder:
        while subprocess.run(["flock", "--nonblock", str(lock), "true"], check=False).returncode == 0:
            assert holder.poll() is None
        with subprocess.Popen([str(script), "--step", "js"], stderr=subprocess.PIPE, text=True) as second:
            assert second.stderr is not None
            assert holder.stdin is not None
            assert "waiting for another bootstrap" in second.stderr.readline()
            holder.stdin.close()  # the first one ends
            assert second.wait(PATIENCE_S) == Cause.JAVASCRIPT


def test_a_full_disk_is_recognised_in_any_programs_output() -> None:
    with pytest.raises(Fault) as caught:
        process.run(["sh", "-c", "echo 'write: No space left on device'; exit 1"], Cause.PIP, "installing")
    assert caught.value.cause is Cause.DISK


def test_a_programs_output_is_part_of_the_report() -> None:
    with pytest.raises(Fault) as caught:
        process.run(["sh", "-c", "echo why; exit 3"], Cause.COMPILE, "compiling", remedy="do this")
    report = caught.value.report().splitlines()
    assert report == ["    why", "bootstrap: compiling: sh ended with 3", "  do this"]


@pytest.mark.parametrize("name", ["nodejs", "node-undici", "adduser", "libc6-dev", "linux-libc-dev", "debconf"])
def test_packages_for_an_installed_system_are_left_out(name: str) -> None:
    assert not packages.is_wanted(name)


@pytest.mark.parametrize("name", [*packages.WANTED, "libnode137", "libc6", "libssl3t64", "libicu78", "libstdc++6"])
def test_packages_that_programs_run_from_are_taken(name: str) -> None:
    assert packages.is_wanted(name)


def test_old_trees_go_but_the_one_in_use_and_the_one_before_stay(tmp_path: Path) -> None:
    for number, name in enumerate(("first", "second", "third")):
        (tmp_path / "trees" / name).mkdir(parents=True)
        os.utime(tmp_path / "trees" / name, (number, number))
    (tmp_path / "used").symlink_to("trees/first")  # the oldest by time, and yet the one in use
    tree.drop_old(tmp_path / "trees", tmp_path / "used")
    assert sorted(path.name for path in (tmp_path / "trees").iterdir()) == ["first", "third"]


def test_the_manifest_names_every_package() -> None:
    manifest = CHECKOUT / ".runtime" / "versions.json"
    if not manifest.is_file():
        pytest.skip("this tree was not made by tools/bootstrap")
    versions = json.loads(manifest.read_text())
    assert versions["v8"].count(".") == 3
    assert {"libc6", "libnode-dev"} <= set(versions["debian"]["packages"])
    pins = [line for path in (CHECKOUT / "requirements").glob("*.txt") for line in path.read_text().splitlines()]
    wanted = {line.split("==")[0].lower().replace("_", "-") for line in pins if "==" in line}
    assert wanted == {name.replace("_", "-") for name in versions["pypi"]}
