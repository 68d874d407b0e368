"""Missing tools of the machine are installed, and nothing is done where none are missing."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools.runtime_tree import machine
from tools.runtime_tree.faults import Cause, Fault
from tools.runtime_tree.layout import Layout
from tools.runtime_tree.progress import Progress

GONE = machine.Tool("gone-package", lambda: False)
THERE = machine.Tool("there-package", lambda: True)


@pytest.fixture
def calls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine whose apt-get and sudo only write down what they were asked for, in the file returned."""
    log = tmp_path / "calls"
    log.touch()
    for name, rest in (("apt-get", 'case "$*" in *refused*) exit 100;; esac'), ("sudo", 'exec "$@"')):
        program = tmp_path / name
        program.write_text(f'#!/bin/sh\necho {name} "$@" >> {log}\n{rest}\n')
        program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    return log


def test_nothing_missing_nothing_done(calls: Path) -> None:
    machine.install_missing((THERE,), Progress())
    assert calls.read_text() == ""


def test_root_installs_just_what_is_missing(
    calls: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 0)
    machine.install_missing((THERE, GONE), Progress())
    update, install = calls.read_text().splitlines()
    assert update == "apt-get -q update"
    assert install == "apt-get -q install --yes --no-install-recommends gone-package"
    assert "gone-package" in capsys.readouterr().err


def test_others_go_through_sudo(calls: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    machine.install_missing((GONE,), Progress())
    assert calls.read_text().splitlines()[0] == "sudo apt-get -q update"


def test_without_root_and_sudo_the_command_is_told(
    calls: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    (tmp_path / "sudo").unlink()
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(Fault) as caught:
        machine.install_missing((GONE,), Progress())
    assert caught.value.cause is Cause.TOOLS
    assert caught.value.remedy == "install by hand: apt-get install gone-package"
    assert calls.read_text() == ""


@pytest.mark.usefixtures("calls")
def test_a_refused_installation_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 0)
    with pytest.raises(Fault) as caught:
        machine.install_missing((machine.Tool("refused", lambda: False),), Progress())
    assert caught.value.cause is Cause.TOOLS


def test_an_architecture_without_packages_is_told(tmp_path: Path) -> None:
    with pytest.raises(Fault, match="mips") as caught:
        machine.check_suitable(Layout(tmp_path, "mips"))
    assert caught.value.cause is Cause.MACHINE
