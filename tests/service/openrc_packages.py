"""Debian's packages of OpenRC, fetched once, never installed."""

from __future__ import annotations

import shutil
import subprocess

import pytest

PACKAGES = ("openrc", "librc1", "libeinfo1")


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The folder with them; skips where they are not to be had."""
    if shutil.which("apt-get") is None or shutil.which("dpkg-deb") is None:
        pytest.skip("Debian's packages cannot be unpacked here")
    folder = tmp_path_factory.mktemp("packages")
    command = ["apt-get", "download", *PACKAGES]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=120)
    if done.returncode != 0:
        pytest.skip(f"openrc is not to be had: {done.stderr.strip().splitlines()[-1:]}")
    return str(folder)
