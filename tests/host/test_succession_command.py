"""How a successor is started."""

from __future__ import annotations

import sys

import pytest

from supervisor.handover.environment import BINARY, for_successor
from supervisor.host.succession import command


@pytest.fixture(autouse=True)
def arguments(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["-m", "serve", "--warm", "1"])
    monkeypatch.setattr(sys, "orig_argv", ["python", "-P", "-m", "supervisor", "serve", "--warm", "1"])


def test_as_this_process_was() -> None:
    assert command(None, {}) == [sys.executable, "-P", "-m", "supervisor", "serve", "--warm", "1"]


def test_by_the_one_file_that_this_process_came_from() -> None:
    assert command(None, {BINARY: "/usr/bin/isolated"}) == ["/usr/bin/isolated", "serve", "--warm", "1"]


def test_by_another_program_if_one_is_named() -> None:
    assert command("/opt/newer", {BINARY: "/usr/bin/isolated"}) == ["/opt/newer", "serve", "--warm", "1"]


def test_a_successor_is_not_told_of_our_file() -> None:
    assert BINARY not in for_successor({BINARY: "/usr/bin/isolated"}, 7, None)
