"""Which other processes shape in this network namespace: each has a socket whose name all can see while it lives.

A process that is killed is not seen any more; a file would have to be cleaned up.
"""

from __future__ import annotations

import os
import secrets
import socket
from pathlib import Path

_PREFIX = "isolated.shaping."
_SOCKETS = Path("/proc/thread-self/net/unix")


class Presence:
    """Shown from here to leave()."""

    def __init__(self) -> None:
        """OSError if there are no Unix sockets."""
        self._name = f"{_PREFIX}{os.getpid()}.{secrets.token_hex(8)}"
        self._sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._sock.bind("\0" + self._name)

    def is_alone(self) -> bool:
        """Whether no other process is there; False also if that cannot be told."""
        try:
            lines = _SOCKETS.read_text(errors="replace").splitlines()
        except OSError:
            return False
        names = (line.rpartition(" ")[2] for line in lines)
        return not any(name.startswith("@" + _PREFIX) and name != "@" + self._name for name in names)

    def leave(self) -> None:
        """Others do not see this process any more."""
        self._sock.close()
