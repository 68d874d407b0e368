"""tools/lint looks at what people wrote, and runs every checker whatever the others found."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tools.runtime_tree import checkers, linting
from tools.runtime_tree.checkers import Checker
from tools.runtime_tree.layout import CHECKOUT, Layout

LAYOUT = Layout(CHECKOUT, "x86_64")


@pytest.mark.parametrize(
    ("first", "name", "expected"),
    [
        ("#!/bin/sh", "run", True),
        ("#!/usr/bin/env bash", "run", True),
        ("#!/sbin/openrc-run", "isolated", False),
        ("#!/usr/bin/env python3", "run", False),
        ("set -e", "part.sh", True),
        ("#!/usr/bin/fish", "run", False),
    ],
)
def test_shell_scripts_are_told_by_their_first_line(tmp_path: Path, first: str, name: str, *, expected: bool) -> None:
    (tmp_path / name).write_text(f"{first}\n")
    assert checkers.is_shell(tmp_path / name) is expected


def test_files_that_are_built_or_fetched_are_left_alone(tmp_path: Path) -> None:
    wanted = ["native/src/a.cc", "tools/run", "supervisor/native.py"]
    unwanted = [
        ".git/config",
        ".runtime/usr/include/v8.h",
        "examples/app/node_modules/x/index.js",
        "supervisor/engine/runtime.js",
        "supervisor/engine/_native.abi3.so",
    ]
    for name in [*wanted, *unwanted]:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "link").symlink_to(tmp_path / "tools" / "run")
    assert checkers.own_files(tmp_path) == sorted(tmp_path / name for name in wanted)


def test_a_finding_is_shown_below_the_checkers_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert not linting.passes(LAYOUT, Checker("strict", [["sh", "-c", "echo bad; exit 1"], ["true"]]))
    first, finding = capsys.readouterr().out.splitlines()
    assert first.startswith("strict         FAILED")
    assert finding == "  bad"


def test_a_checker_that_finds_nothing_says_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert linting.passes(LAYOUT, Checker("content", [["sh", "-c", "echo chatter"]]))
    assert len(capsys.readouterr().out.splitlines()) == 1


def test_endless_findings_are_cut(capsys: pytest.CaptureFixture[str]) -> None:
    linting.passes(LAYOUT, Checker("strict", [["sh", "-c", "seq 1000; exit 1"]]))
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == linting.SHOWN + 2
    assert lines[-1] == f"  ... and {1000 - linting.SHOWN} more lines"


def test_formatting_is_told_once_per_file() -> None:
    output = "/a/b.cc:3:1: error: code should be clang-formatted\n  x\n^\n/a/b.cc:4:1: error: again\n"
    assert checkers.names_only(output) == "/a/b.cc: not formatted"


def test_wrong_usage_is_told() -> None:
    done = subprocess.run([str(CHECKOUT / "tools" / "lint"), "--fxi"], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "--fix" in done.stderr
