"""The guest in which cgroup v2 is tried: this machine's own is not touched, and may have none."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.machine.fetch import Parts
from tests.machine.fixtures import parts
from tests.machine.guest import bare, with_host
from tests.machine.initramfs import Initramfs
from tests.machine.qemu import Emulated, Hardware
from tools.runtime_tree.layout import here

__all__ = ["parts", "results"]
HERE = Path(__file__).parent
WITHIN_S = 540.0  # all of it; a quiet machine needs a tenth of that
SCRIPT = """\
mount -t cgroup2 cgroup /sys/fs/cgroup
cd {checkout}
for each in {steps}; do
    {python} -m tests.limits.v2.$each || echo "{{\\"step\\": \\"failed\\", \\"which\\": \\"$each\\"}}"
done"""

type Results = dict[str, dict[str, Any]]


@pytest.fixture(scope="session")
def results(parts: Parts, tmp_path_factory: pytest.TempPathFactory) -> Results:
    """What the steps in the guest told, by their names."""
    steps = sorted(file.stem for file in HERE.glob("*_steps.py"))
    layout = here()
    python = layout.venv / "bin/python"
    made = bare(parts, SCRIPT.format(checkout=layout.checkout, python=python, steps=" ".join(steps)))
    with_host(made, layout)
    add_tests(made)
    archive = tmp_path_factory.mktemp("guest") / "initramfs"
    made.write(archive)
    with Emulated(parts, initramfs=archive, hardware=Hardware(memory_mib=1536, steady=True)) as machine:
        machine.wait_end(WITHIN_S)
        text = machine.text
    archive.unlink()
    found: Results = {}
    for line in text.splitlines():
        if line.startswith("{"):
            value = json.loads(line)
            found[value.pop("step")] = value
    assert "failed" not in found, text
    return found


def add_tests(made: Initramfs) -> None:
    """The modules of this folder."""
    for file in HERE.glob("*.py"):
        made.take(file)
