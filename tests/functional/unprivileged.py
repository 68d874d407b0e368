"""A daemon as on a machine that gives it nothing: a plain user, no capabilities, cgroups that can only be read."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.functional.running import ROOT
from tests.functional.serving import Serving

NOBODY = 65534  # owns nothing on any machine
# In a mount namespace of its own: the machine's control groups stay as they are.
BARE = """\
set -eu
while read -r _ folder kind _; do
    case $kind in cgroup | cgroup2) mount -o remount,bind,ro "$folder" ;; esac
done < /proc/mounts
exec setpriv --reuid "$0" --regid "$0" --clear-groups --no-new-privs --bounding-set=-all --inh-caps=-all "$@"
"""


class Unprivileged(Serving):
    """Its folders belong to the plain user; commands against it are run by root."""

    def begin(self) -> None:
        for folder in (self.folder, self.socket.parent):
            os.chown(folder, NOBODY, NOBODY)
        super().begin()

    def command(self) -> list[str]:
        return [*without_rights(), *super().command()]


def without_rights() -> list[str]:
    """What comes before a command to take its rights away."""
    return ["unshare", "--mount", "sh", "-c", BARE, str(NOBODY)]


@contextmanager
def unprivileged(**settings: Any) -> Iterator[Unprivileged]:
    """One that runs while the block does; skips where it cannot be made, or the checkout is not for plain users."""
    _needs()
    # A plain user cannot enter pytest's folders.
    with tempfile.TemporaryDirectory(prefix="isolated-") as name:
        Path(name).chmod(0o755)
        with Unprivileged(Path(name) / "host", **settings) as host:
            yield host


@contextmanager
def programs() -> Iterator[Path]:
    """A folder that a plain user may read."""
    with tempfile.TemporaryDirectory(prefix="isolated-") as name:
        Path(name).chmod(0o755)
        yield Path(name)


def _needs() -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can take rights away from a daemon")
    for program in ("unshare", "setpriv"):
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not here")
    probe = [*without_rights(), "test", "-r", str(ROOT / "supervisor" / "__init__.py")]
    done = subprocess.run(probe, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        pytest.skip(f"no namespaces here, or the checkout is not for plain users: {done.stderr.strip()}")
