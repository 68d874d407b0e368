"""Every error that a person may see: what is wrong, whose fault it is by exit code, and what to do.

Exit codes: 1 the task or the machine, 2 the settings. Anything that is not an IsolatedError is a defect of ours.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from supervisor.printable import excerpt, printable, printable_lines


class IsolatedError(Exception):
    """Something a person can act upon; `str()` is the message, and the remedy on a line of its own."""

    exit_code: ClassVar[int] = 1

    def __init__(self, message: str, remedy: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy

    def __str__(self) -> str:
        return self.message if self.remedy is None else f"{self.message}\n  {self.remedy}"


@dataclass(frozen=True, slots=True)
class Place:
    """A spot in a text: line and column count from 1."""

    line: int
    column: int | None = None
    source_line: str | None = None

    def excerpt(self) -> list[str]:
        """The source line and a caret, indented; nothing if the line is not known."""
        if self.source_line is None:
            return []
        return [f"  {line}" for line in excerpt(self.line, self.column, self.source_line)]


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong in one settings file; `value` is already a text fit for showing."""

    message: str
    remedy: str
    allowed: str | None = None
    field: str | None = None
    value: str | None = None
    file: str | None = None
    place: Place | None = None

    def __str__(self) -> str:
        where = [part for part in (_at(self.file, self.place), self.field) if part]
        value = "" if self.value is None else f" (value: {self.value})"
        lines = [": ".join([*where, self.message]) + value]
        if self.place is not None:
            lines += self.place.excerpt()
        if self.allowed is not None:
            lines.append(f"  allowed: {self.allowed}")
        lines.append(f"  remedy: {self.remedy}")
        return "\n".join(lines)


class SettingsError(IsolatedError):
    """The settings are wrong; carries every problem that was found, not only the first."""

    exit_code = 2

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


class BootError(IsolatedError):
    """A task's main module is missing or threw; says where in the sources. `message` may be a program's own words."""

    def __init__(
        self,
        message: str,
        remedy: str | None = None,
        *,
        file: str | None = None,
        place: Place | None = None,
        stack: str | None = None,
    ) -> None:
        super().__init__(message, remedy)
        self.file = file
        self.place = place
        self.stack = stack

    def __str__(self) -> str:
        lines = printable_lines(self.message)
        if self.file is not None:
            lines.append(f"  at {_at(self.file, self.place)}")
        if self.place is not None:
            lines += self.place.excerpt()
        if self.stack:
            lines += [f"  {line}" for line in printable_lines(self.stack)]
        if self.remedy is not None:
            lines.append(f"  {self.remedy}")
        return "\n".join(lines)


class ListenError(IsolatedError):
    """An address cannot be listened on; says which and why."""

    def __init__(self, address: str, why: str, remedy: str | None = None) -> None:
        super().__init__(f"cannot listen on {address}: {why}", remedy)
        self.address = address

    @classmethod
    def from_os_error(cls, address: str, error: OSError) -> ListenError:
        """Words for what the system said about binding `address`."""
        number = error.errno or 0
        if number in _LISTEN_REMEDIES:
            return cls(address, *_LISTEN_REMEDIES[number])
        # getaddrinfo's own errors have negative numbers that strerror does not know
        why = os.strerror(number) if number > 0 else str(error.strerror or error)
        return cls(address, why, "check the address in the task's `listen`")


class EngineError(IsolatedError):
    """V8 or the machine refused something that the host cannot go on without."""


class ControlError(IsolatedError):
    """The host does not do what was asked; `status` is the HTTP status of that, `kind` a short name for programs."""

    status: ClassVar[int] = 500
    kind: ClassVar[str] = "failed"


class Unknown(ControlError):
    """There is no such task, bundle or block."""

    status = 404
    kind = "unknown"


class Refused(ControlError):
    """The host cannot now: it is full, hands over, or drains. `retry_s`: when to ask again."""

    status = 503
    kind = "refused"

    def __init__(self, message: str, remedy: str | None = None, *, retry_s: float = 1.0) -> None:
        super().__init__(message, remedy)
        self.retry_s = retry_s


class BundleRefused(ControlError):
    """An archive is not one that the host stores: too large, broken, or with entries that reach outside of it."""

    status = 422
    kind = "bundle-refused"


class HandoverFailed(ControlError):
    """The successor did not become ready; this process goes on."""

    status = 502
    kind = "handover-failed"


def _at(file: str | None, place: Place | None) -> str:
    parts = [] if file is None else [printable(file)]
    if place is not None:
        parts.append(str(place.line))
        if place.column is not None:
            parts.append(str(place.column))
    return ":".join(parts)


_LISTEN_REMEDIES = {
    errno.EADDRINUSE: (
        "the address is in use",
        "end the program that listens there (`ss -ltnpx` shows it), or choose another port; port 0 takes any free one",
    ),
    errno.EACCES: (
        "not permitted",
        "choose a port of 1024 or above or a folder that you may write to, or run with the right to bind there",
    ),
    errno.EADDRNOTAVAIL: (
        "this machine has no such address",
        "`ip address` lists what it has; 0.0.0.0 and [::] stand for all of them",
    ),
    errno.ENOENT: ("the folder of the socket does not exist", "create the folder first"),
    errno.ENOTDIR: ("a part of the socket's path is not a folder", "choose a path whose folders exist"),
}
