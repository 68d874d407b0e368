"""The limit of open files is raised as far as it goes without rights."""

from __future__ import annotations

import subprocess
import sys

PROGRAM = """
import resource
_, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
wanted = min(hard, 4096)
resource.setrlimit(resource.RLIMIT_NOFILE, (256, wanted))
from supervisor.limits.files import raise_open_files
assert raise_open_files() == wanted
assert resource.getrlimit(resource.RLIMIT_NOFILE) == (wanted, wanted)
assert raise_open_files() == wanted
"""


def test_the_soft_limit_becomes_the_hard_one() -> None:
    subprocess.run([sys.executable, "-c", PROGRAM], check=True)
