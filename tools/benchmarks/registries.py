"""Fetches programs from PyPI, npm and Debian with the machine's own clients, set up as they are."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from tools.benchmarks.cache import ROOT, Unavailable

FETCH_SECONDS = 300  # 60 MB over a line of 2 Mbit/s
APT_SIMULATED_INSTALL = "Inst "  # how apt-get --simulate begins the line of each package that it would install


def pip_unpack(requirement: str, folder: Path) -> None:
    """Unpacks one wheel from PyPI, without what it depends on. Raises Unavailable."""
    options = ["--quiet", "--no-deps", "--only-binary", ":all:", "--disable-pip-version-check", "--no-warn-conflicts"]
    _run([*_pip(), "install", *options, "--target", str(folder), requirement])


def npm_unpack(package: str, folder: Path, npm: Sequence[str]) -> None:
    """Unpacks one npm package with what it depends on; none of their install scripts runs. Raises Unavailable."""
    options = ["--loglevel", "error", "--ignore-scripts", "--no-audit", "--no-fund"]
    _run([*npm, "install", *options, "--prefix", str(folder), package])


def debian_unpack(package: str, folder: Path) -> None:
    """Unpacks a Debian package and whatever it needs that the machine lacks; installs nothing. Raises Unavailable.

    The packages come from the machine's own release, because they run on the machine's own libraries.
    """
    plan = _run(["apt-get", "--simulate", "-o", "APT::Install-Recommends=false", "install", package])
    missing = [line.split()[1] for line in plan.splitlines() if line.startswith(APT_SIMULATED_INSTALL)]
    for name in missing or [package]:
        _run(["apt-get", "--quiet", "download", name], cwd=folder)
    for file in sorted(folder.glob("*.deb")):
        _run(["dpkg-deb", "-x", str(file), str(folder)])
        file.unlink()


def program_version(binary: Path) -> str:
    """Returns the first number in what `PROGRAM --version` says, e.g. "2.9.8" or "2026-11-17". Raises Unavailable."""
    try:
        done = subprocess.run([binary, "--version"], capture_output=True, text=True, timeout=30, check=False)
    except OSError as error:
        raise Unavailable(f"{binary.name} does not start on this machine: {error.strerror}") from error
    found = re.search(r"\d[\w.-]*", done.stdout)
    if done.returncode or found is None:
        raise Unavailable(f"{binary.name} does not run on this machine: {done.stderr.strip()[:200]}")
    return found[0]


def _pip() -> list[str]:
    """Returns the command of a pip: the machine's, else the wheel that came with the runtime tree."""
    for name in ("pip3", "pip"):
        if path := shutil.which(name):
            return [path]
    wheels = sorted((ROOT / ".runtime" / "usr" / "share" / "python-wheels").glob("pip-*.whl"))
    if wheels:
        return [sys.executable, str(wheels[-1] / "pip")]
    raise Unavailable("no pip on this machine: install python3-pip")


def _run(command: Sequence[str], cwd: Path | None = None) -> str:
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    try:
        done = subprocess.run(
            command, cwd=cwd, env=environment, capture_output=True, text=True, timeout=FETCH_SECONDS, check=False
        )
    except FileNotFoundError as error:
        raise Unavailable(f"{command[0]} is not on this machine") from error
    except subprocess.TimeoutExpired as error:
        raise Unavailable(f"{Path(command[0]).name} took more than {FETCH_SECONDS} s") from error
    if done.returncode:
        raise Unavailable(f"{Path(command[0]).name} failed: {_reason(done.stderr or done.stdout)}")
    return done.stdout


def _reason(output: str) -> str:
    """Returns the line that says why: the first with a sentence about an error, else the last."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    errors = [line for line in lines if re.match(r"(npm )?(E:|ERR|error)", line, re.IGNORECASE) and line.count(" ") > 3]
    return next(iter(errors or lines[-1:]), "no output")
