"""The unit file: as systemd reads it, and as systemd runs it."""

from __future__ import annotations

import resource
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.service.box import CHECKOUT, HERE, STAND_IN, Box, box, wait_until

UNIT = CHECKOUT / "alpine/systemd/isolated.service"
SYSTEMD = Path("/lib/systemd/systemd")

needs_tools = pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not here")


def analyze(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["systemd-analyze", *arguments], capture_output=True, text=True, check=False, timeout=60)


def installed(folder: Path, text: str) -> str:
    """The unit with a program that exists on this machine."""
    unit = folder / "isolated.service"
    unit.write_text(text.replace("/usr/bin/isolated", "/bin/true"))
    return str(unit)


@needs_tools
def test_systemd_finds_nothing_wrong_with_the_unit(tmp_path: Path) -> None:
    done = analyze("verify", "--man=no", installed(tmp_path, UNIT.read_text()))
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


@needs_tools
def test_a_slip_in_the_unit_would_be_found(tmp_path: Path) -> None:
    done = analyze("verify", "--man=no", installed(tmp_path, UNIT.read_text().replace("TasksMax", "TaskMax")))
    assert "TaskMax" in done.stderr


@needs_tools
def test_the_unit_is_confined_as_far_as_v8_allows(tmp_path: Path) -> None:
    done = analyze("security", "--offline=yes", "--threshold=45", installed(tmp_path, UNIT.read_text()))
    assert done.returncode == 0, done.stdout


@pytest.fixture
def systemd() -> Iterator[Box]:
    if not SYSTEMD.exists():
        pytest.skip("systemd is not here")
    with box(HERE / "systemd.sh", str(STAND_IN)) as started:
        yield started


def shows(here: Box, name: str) -> str:
    return here.run("systemctl", "show", "isolated", "--property", name, "--value").strip()


def is_active(here: Box) -> bool:
    return here.run("systemctl", "is-active", "isolated", check=False).strip() == "active"


def test_it_is_started_with_the_machine_and_drained_with_it(systemd: Box) -> None:
    pid = systemd.wait_for_diary("ready")
    wait_until(lambda: is_active(systemd), "systemd to hear of it")
    assert shows(systemd, "MainPID") == str(pid)
    systemd.run("systemctl", "stop", "isolated")
    assert (pid, "drained") in diary_in_state(systemd)
    assert shows(systemd, "Result") == "success"


def diary_in_state(here: Box) -> list[tuple[int, str]]:
    """The diary after a stop: systemd has taken the folder in /run away, its copy is in the state folder."""
    lines = here.shell("cat /var/lib/isolated/diary").splitlines()
    return [(int(pid), text) for pid, _, text in (line.partition(" ") for line in lines)]


def test_it_runs_as_a_user_of_its_own_with_three_rights(systemd: Box) -> None:
    pid = systemd.wait_for_diary("ready")
    status = systemd.shell(f"cat /proc/{pid}/status")
    fields = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
    assert fields["Uid"].split()[0] != "0"
    assert int(fields["CapPrm"], 16) == int(fields["CapBnd"], 16) == 1 << 10 | 1 << 12 | 1 << 23
    assert fields["NoNewPrivs"] == "1"
    files = systemd.shell(f"grep files /proc/{pid}/limits").split()[3:5]
    ours = resource.getrlimit(resource.RLIMIT_NOFILE)[1]  # which systemd in a box may not be allowed to raise
    assert files in (["1048576"] * 2, [str(ours)] * 2)


def test_a_reload_hands_over_and_systemd_follows_the_fresh_process(systemd: Box) -> None:
    old = systemd.wait_for_diary("ready")
    for number in range(3):
        wait_until(lambda: is_active(systemd), "systemd to settle")
        systemd.run("systemctl", "reload", "isolated")
        new = systemd.wait_for_diary("ready serve successor", number + 1)
        assert new != old
        wait_until(lambda new=new: shows(systemd, "MainPID") == str(new), "systemd to follow")  # type: ignore[misc]
        wait_until(lambda old=old: not alive(systemd, old), "the end of the old one")  # type: ignore[misc]
        assert is_active(systemd)
        old = new
    assert shows(systemd, "NRestarts") == "0"
    systemd.shell("touch /run/isolated/slow")  # it has something to answer
    systemd.run("systemctl", "stop", "isolated")
    assert (old, "drained") in diary_in_state(systemd)


def alive(here: Box, pid: int) -> bool:
    return bool(here.shell(f"test -d /proc/{pid} && echo yes", check=False))


def test_after_a_kill_it_is_started_again(systemd: Box) -> None:
    pid = systemd.wait_for_diary("ready")
    wait_until(lambda: is_active(systemd), "systemd to hear of it")
    systemd.run("kill", "-KILL", str(pid))
    wait_until(lambda: shows(systemd, "NRestarts") == "1" and is_active(systemd), "another start")
    assert shows(systemd, "MainPID") != str(pid)


def test_when_it_hangs_it_is_ended_and_started_again(systemd: Box) -> None:
    pid = systemd.wait_for_diary("ready")
    wait_until(lambda: is_active(systemd), "systemd to hear of it")
    systemd.shell("touch /run/isolated/hang")
    wait_until(lambda: shows(systemd, "NRestarts") == "1" and is_active(systemd), "another start")
    assert shows(systemd, "MainPID") != str(pid)


def test_wrong_settings_are_not_tried_again(systemd: Box) -> None:
    systemd.wait_for_diary("ready")
    systemd.shell("touch /run/wrong-settings")
    systemd.run("systemctl", "restart", "isolated", check=False)
    wait_until(lambda: shows(systemd, "ActiveState") == "failed", "systemd to give up")
    assert (shows(systemd, "ExecMainStatus"), shows(systemd, "NRestarts")) == ("2", "0")


def test_what_was_drained_stays_away(systemd: Box) -> None:
    pid = systemd.wait_for_diary("ready")
    wait_until(lambda: is_active(systemd), "systemd to hear of it")
    systemd.run("kill", "-TERM", str(pid))
    wait_until(lambda: shows(systemd, "ActiveState") == "inactive", "its end")
    assert shows(systemd, "NRestarts") == "0"
