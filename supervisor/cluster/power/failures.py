"""What goes wrong when a machine is to be started or switched off."""

from __future__ import annotations

from supervisor.errors import IsolatedError
from supervisor.printable import printable

SHOWN = 200  # characters of what a stranger said


class WakeFailed(IsolatedError):
    """A host could not be started; the message says which way failed and why. It may be tried again later."""


class ControllerSilent(WakeFailed):
    """A management controller did not answer, or is busy: it may when it is asked again."""


class ProgramFailed(IsolatedError):
    """A program could not be started, ended with another code than 0, or took too long."""


class PowerOffFailed(IsolatedError):
    """The command that switches this host off failed: the machine is still on."""


def cut(text: str) -> str:
    """What a stranger said, on one line, short and fit for a log."""
    text = printable(text.strip())
    return text if len(text) <= SHOWN else text[: SHOWN - 1] + "…"
