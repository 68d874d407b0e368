"""The parts of an emulated machine as a fixture: tests that need one are skipped where it cannot be had."""

from __future__ import annotations

import platform
import shutil

import pytest

from tests.machine.fetch import Parts, fetch
from tools.runtime_tree.faults import Fault


@pytest.fixture(scope="session")
def parts() -> Parts:
    """QEMU, a kernel, busybox."""
    if platform.machine() != "x86_64":
        pytest.skip("only machines of x86-64 are emulated")
    for program in ("apt-get", "dpkg-deb"):
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not here, so that Debian's packages cannot be had")
    try:
        return fetch()
    except Fault as fault:
        pytest.skip(f"an emulated machine cannot be had: {fault.message}")
