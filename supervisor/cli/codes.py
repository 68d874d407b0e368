"""Exit codes, and the errors that carry those of the control API's commands."""

from __future__ import annotations

from supervisor.errors import IsolatedError

EXIT_DEFECT = 70  # EX_SOFTWARE of sysexits.h: the fault is ours
EXIT_INTERRUPTED = 130  # 128 + SIGINT, as shells count

RUN_CODES = """\b
Exit codes:
  0    drained after SIGINT or SIGTERM, or every task ended by itself
  1    a task could not be started (its main module is missing or throws), or an address is in use
  2    the settings or the command line are wrong
  70   a defect of isolated itself, with a traceback
  130  ended at once by SIGINT: a second one, or before anything was started (143: SIGTERM)
"""

HOST_CODES = """\b
Exit codes:
  0    done
  1    the host refused or failed, or a task could not be started
  2    the settings or the command line are wrong
  3    the host has no such task, block or bundle
  4    no host answers
  5    the host cannot now, but later: it is full, hands over or drains
  6    not permitted: the token is missing or wrong, or the socket is not yours
  70   a defect of isolated itself, with a traceback
  130  interrupted
"""


class HostFailed(IsolatedError):
    """The host did not do it, or its answer is not one."""


class WrongForHost(IsolatedError):
    """The host says that what was asked is wrong."""

    exit_code = 2


class UnknownToHost(IsolatedError):
    """The host has no such task, block or bundle."""

    exit_code = 3


class HostUnreachable(IsolatedError):
    """No host answers at the address."""

    exit_code = 4


class HostBusy(IsolatedError):
    """The host cannot now, but later."""

    exit_code = 5


class NotPermitted(IsolatedError):
    """The host, or the system, does not let this person ask."""

    exit_code = 6
