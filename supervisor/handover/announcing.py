"""How the first process learns who the host is: each successor writes its id into a pipe when it becomes that."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping, MutableMapping

from supervisor.handover.environment import ANNOUNCE_FD, becomes_waiter
from supervisor.handover.waiter import PID, Hosts


def make_hosts(environ: Mapping[str, str]) -> Hosts | None:
    """The list of hosts, if this process is the first one and has to know; else None."""
    return Hosts(*os.pipe()) if becomes_waiter(environ) else None


def inherited(environ: Mapping[str, str]) -> int | None:
    """The descriptor to announce oneself to, if the first process waits for that."""
    try:
        number = int(environ[ANNOUNCE_FD])
        return number if stat.S_ISFIFO(os.fstat(number).st_mode) else None
    except KeyError, ValueError, OSError, OverflowError:  # not said, or by somebody else
        return None


def keep_from_children(environ: MutableMapping[str, str]) -> None:
    """Makes sure that only successors get the descriptor."""
    number = inherited(environ)
    if number is None:
        environ.pop(ANNOUNCE_FD, None)
    else:
        os.set_inheritable(number, False)  # noqa: FBT003  # takes no keywords


def announce(environ: Mapping[str, str]) -> None:
    """Says that this process is the host."""
    number = inherited(environ)
    if number is not None:
        try:
            os.write(number, os.getpid().to_bytes(PID))
        except OSError:
            pass  # the first process is gone: whoever watched it knows
