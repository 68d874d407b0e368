"""The launcher and the probe, compiled once; both take a second."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.binary.tiny import Binary, Parts, build, fill
from tools.binary import launcher
from tools.runtime_tree.layout import here

PROBE = Path(__file__).with_name("probe.c")


@pytest.fixture(scope="session")
def parts(tmp_path_factory: pytest.TempPathFactory) -> Parts:
    folder = tmp_path_factory.mktemp("parts")
    compiled = launcher.compile_to(here(), folder / "launcher")
    subprocess.run(["cc", "-static", "-Os", "-o", folder / "probe", PROBE], check=True)
    return Parts(compiled.read_bytes(), (folder / "probe").read_bytes())


@pytest.fixture
def make(tmp_path: Path, parts: Parts) -> Callable[..., Binary]:
    """Makes a binary with these files beside the probe."""

    def made(name: str = "isolated", files: dict[str, bytes] | None = None, unpacked: int | None = None) -> Binary:
        base = tmp_path / "base"
        base.mkdir(mode=0o700, exist_ok=True)
        folder = fill(tmp_path / f"{name}-tree", parts, files)
        identity = build(tmp_path / name, folder, parts.launcher, unpacked=unpacked)
        return Binary(tmp_path / name, identity, base)

    return made


@pytest.fixture
def binary(make: Callable[..., Binary]) -> Binary:
    return make(files={"data/one": b"one" * 5000, "data/empty": b""})
