"""The emulated machine itself: it starts, is heard, and its end is told apart from a failure."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.machine.fetch import Parts
from tests.machine.fixtures import parts
from tests.machine.guest import bare
from tests.machine.qemu import Emulated

pytestmark = pytest.mark.slow
__all__ = ["parts"]
BOOT_S = 120.0  # three seconds on a machine with nothing else to do


def test_a_guest_speaks_and_switches_itself_off(parts: Parts, tmp_path: Path) -> None:
    bare(parts, "echo hello; false").write(tmp_path / "initramfs")
    with Emulated(parts, initramfs=tmp_path / "initramfs", words=["word=7"]) as machine:
        assert machine.wait_line(lambda line: "hello" in line, BOOT_S) == "hello"
        machine.wait_end(BOOT_S)
    assert "end 1" in machine.lines


def test_waiting_fails_when_the_machine_ends_or_takes_too_long(parts: Parts, tmp_path: Path) -> None:
    bare(parts, "echo asleep; sleep 3600").write(tmp_path / "initramfs")
    with Emulated(parts, initramfs=tmp_path / "initramfs") as machine:
        machine.wait_line(lambda line: line == "asleep", BOOT_S)
        with pytest.raises(AssertionError, match=r"not within 0\.1 s"):
            machine.wait_line(lambda line: line == "awake", 0.1)
        with pytest.raises(AssertionError, match="still runs"):
            machine.wait_end(0.1)


def test_a_kernel_that_panics_ends_the_machine(parts: Parts, tmp_path: Path) -> None:
    made = bare(parts, "")
    made.file("/init", "#!/bin/busybox sh\necho gone\nexit 3\n", mode=0o755)  # the first process must not end
    made.write(tmp_path / "initramfs")
    with Emulated(parts, initramfs=tmp_path / "initramfs") as machine:
        machine.wait_line(lambda line: "panic" in line, BOOT_S)
        machine.wait_end(BOOT_S)
        with pytest.raises(AssertionError, match="ended without it"):
            machine.wait_line(lambda line: line == "never", BOOT_S)
    assert "gone" in machine.lines
