"""The daemon itself under real init systems: confined, handed over, killed, and its tasks answer."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from supervisor.limits.capabilities import needed_capabilities
from tests.service.box import CHECKOUT, HERE, Box, box, wait_until
from tests.service.openrc_packages import packages

__all__ = ["packages"]

PROGRAM = f"""#!/bin/sh
exec {CHECKOUT}/.runtime/venv/bin/python -P -m supervisor "$@"
"""
HELLO = "Hello from an isolate"
ASK = "curl --silent --max-time 30 http://127.0.0.1:3000/"


@pytest.fixture
def program(tmp_path: Path) -> str:
    if shutil.which("curl") is None:
        pytest.skip("curl is not here")
    if not all(each.stat().st_mode & 0o001 for each in (CHECKOUT, *CHECKOUT.parents)):
        pytest.skip("the checkout is in a folder that user `isolated` may not enter")
    script = tmp_path / "isolated"
    script.write_text(PROGRAM)
    return str(script)


@pytest.fixture
def systemd(program: str) -> Iterator[Box]:
    if not Path("/lib/systemd/systemd").exists():
        pytest.skip("systemd is not here")
    with box(HERE / "systemd.sh", program) as started:
        wait_until(
            lambda: "active" in started.run("systemctl", "is-active", "isolated", check=False).split(), "a start"
        )
        yield started


@pytest.fixture
def openrc(program: str, packages: str) -> Iterator[Box]:
    with box(HERE / "openrc.sh", program, packages) as started:
        wait_until(lambda: "yes" in started.shell("test -e /run/box-is-up && echo yes", check=False), "OpenRC")
        started.run("rc-service", "isolated", "start")
        wait_until(lambda: bool(started.run("isolated", "ps", "--json", check=False)), "a start")
        yield started


def applied(here: Box) -> None:
    """Has the host run a task whose files came as a bundle."""
    here.run("isolated", "apply", f"{CHECKOUT}/examples/hello")
    assert here.shell(ASK).strip() == HELLO


def answers(here: Box) -> bool:
    return here.shell(ASK, check=False).strip() == HELLO


def main_pid(here: Box) -> str:
    return here.run("systemctl", "show", "isolated", "--property", "MainPID", "--value").strip()


def test_confined_by_systemd_it_takes_a_task_and_keeps_it_through_hand_over_and_kill(systemd: Box) -> None:
    applied(systemd)
    old = main_pid(systemd)
    systemd.run("systemctl", "reload", "isolated")
    wait_until(lambda: main_pid(systemd) not in (old, "0"), "systemd to follow the fresh process")
    assert answers(systemd)
    assert systemd.run("systemctl", "show", "isolated", "--property", "NRestarts", "--value").strip() == "0"
    systemd.run("kill", "-KILL", main_pid(systemd))
    wait_until(lambda: answers(systemd), "the task to be back")
    systemd.run("systemctl", "stop", "isolated")
    assert systemd.run("systemctl", "show", "isolated", "--property", "Result", "--value").strip() == "success"


def test_under_systemd_its_pings_are_heard(systemd: Box) -> None:
    pid = main_pid(systemd)
    systemd.shell("sleep 11")  # the watchdog of this unit's test would have bitten after 8 s
    assert main_pid(systemd) == pid
    systemd.run("kill", "-STOP", pid)
    wait_until(lambda: main_pid(systemd) not in (pid, "0"), "the watchdog to bite")


def test_under_openrc_root_gives_up_its_rights_and_the_script_follows_a_hand_over(openrc: Box) -> None:
    applied(openrc)
    pids = openrc.shell("pgrep -f 'supervisor serve'").split()
    rights = openrc.shell(f"grep -h CapPrm /proc/{pids[-1]}/status").split()[1]
    assert set(numbers(int(rights, 16))) <= needed_capabilities(shaping=True, power_off=False)
    openrc.run("rc-service", "isolated", "reload")
    wait_until(lambda: '"handovers": 1' in status(openrc) or '"handovers":1' in status(openrc), "the fresh process")
    assert answers(openrc)
    assert "started" in openrc.run("rc-service", "isolated", "status")
    openrc.run("rc-service", "isolated", "stop")
    assert not answers(openrc)
    wait_until(lambda: not openrc.shell("pgrep -f 'supervisor serve'", check=False), "the end of all its processes")


def numbers(mask: int) -> list[int]:
    return [number for number in range(mask.bit_length()) if mask >> number & 1]


def status(here: Box) -> str:
    return here.run("isolated", "status", "--json", check=False)
