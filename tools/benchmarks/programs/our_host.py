"""Becomes `isolated serve` with one task. Argument: a folder with a task.json in it.

The task is applied by a process that is gone when the host is measured: nothing but the host is left.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from tools.benchmarks.our_host import OurHost, command, environment, write_settings

SOCKET = "control.sock"


def apply_later(config: Path) -> None:
    """Forks twice, so that the host has no child that it does not know of; the grandchild applies the task."""
    if child := os.fork():
        os.waitpid(child, 0)
        return
    if os.fork() == 0:
        host = OurHost(config, config.parent / SOCKET)
        host.wait_ready()
        host.control.apply(json.loads((config.parent / "task.json").read_text()))
    os._exit(0)


if __name__ == "__main__":
    place = Path(sys.argv[1])
    settings = write_settings(place, place / SOCKET, {})
    apply_later(settings)
    argv = command(settings)
    os.execve(argv[0], argv, environment())
