"""What is said when a program cannot be fetched or does not run. Nothing here touches the network."""

from pathlib import Path

import pytest

from tools.benchmarks.cache import Unavailable
from tools.benchmarks.registries import npm_unpack, program_version


def script(folder: Path, text: str) -> Path:
    file = folder / "program"
    file.write_text(f"#!/bin/sh\n{text}\n")
    file.chmod(0o755)
    return file


@pytest.mark.parametrize(
    ("said", "version"),
    [("v24.19.0", "24.19.0"), ("workerd 2026-11-17", "2026-11-17"), ("deno 2.9.8 (stable)\nv8 14.1", "2.9.8")],
)
def test_versions_are_found(said: str, version: str, tmp_path: Path) -> None:
    assert program_version(script(tmp_path, f"echo '{said}'")) == version


@pytest.mark.parametrize(
    ("text", "reason"),
    [("echo 'no GLIBC' >&2; exit 1", "does not run on this machine: no GLIBC"), ("echo none", "does not run")],
)
def test_a_program_that_does_not_run_here_is_unavailable(text: str, reason: str, tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match=reason):
        program_version(script(tmp_path, text))


def test_a_program_that_is_not_there_is_unavailable(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="does not start on this machine"):
        program_version(tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ("npm error code E404\nnpm error 404 Not Found - x\nnpm error see the log", "npm error 404 Not Found - x"),
        ("WARNING: old\nERROR: No matching distribution found\nhint: spell it", "ERROR: No matching distribution"),
        ("W: slow\nE: Unable to locate package x", "E: Unable to locate package x"),
        ("it\nbroke", "broke"),
        ("", "no output"),
    ],
)
def test_the_line_that_says_why_a_fetch_failed_is_passed_on(said: str, reason: str, tmp_path: Path) -> None:
    npm = script(tmp_path, f"cat >&2 <<'END'\n{said}\nEND\nexit 1")
    with pytest.raises(Unavailable, match=f"program failed: {reason}"):
        npm_unpack("anything", tmp_path, [str(npm)])


def test_a_missing_client_is_named(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="/nowhere/npm is not on this machine"):
        npm_unpack("anything", tmp_path, ["/nowhere/npm"])
