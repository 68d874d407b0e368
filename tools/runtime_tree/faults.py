"""What can go wrong, with an exit code per cause, so that scripts can tell a dead mirror from a full disk."""

from __future__ import annotations

import enum


class Cause(enum.IntEnum):
    """Exit codes of tools/bootstrap. 1 and 2 are left to Python's own failures and to wrong usage."""

    STALE = 3
    MACHINE = 10
    NO_MIRROR = 11
    NETWORK = 12
    SIGNATURE = 13
    PACKAGE = 14
    TOOLS = 15
    PIP = 16
    JAVASCRIPT = 17
    COMPILE = 18
    DISK = 19
    INTERRUPTED = 130


MEANINGS = {
    Cause.STALE: "--check found something to build",
    Cause.MACHINE: "this machine cannot hold the runtime tree (no apt, or not a 64-bit x86 or ARM Linux)",
    Cause.NO_MIRROR: "no Debian mirror in apt's settings; ISOLATED_DEBIAN_MIRROR names one",
    Cause.NETWORK: "the mirror did not answer, or not with Debian's indexes",
    Cause.SIGNATURE: "the mirror's indexes are not signed by Debian",
    Cause.PACKAGE: "a package is missing from the mirror, or does not unpack or start",
    Cause.TOOLS: "a tool of the machine (C++ compiler, keyring) is missing and could not be installed",
    Cause.PIP: "a PyPI package could not be fetched or installed",
    Cause.JAVASCRIPT: "the runtime's JavaScript does not bundle",
    Cause.COMPILE: "the native library does not compile or link",
    Cause.DISK: "the disk is full",
    Cause.INTERRUPTED: "interrupted; the next run continues",
}


class Fault(Exception):
    """A failure that the user can act on: what happened, what to do, and the output that shows why."""

    def __init__(self, cause: Cause, message: str, *, remedy: str = "", output: str = "") -> None:
        super().__init__(message)
        self.cause = cause
        self.message = message
        self.remedy = remedy
        self.output = output

    def report(self, tool: str = "bootstrap") -> str:
        """Returns the lines for the terminal: the tail of the output first, the remedy last."""
        tail = [f"    {line}" for line in self.output.strip().splitlines()[-25:]]  # a screen holds about so many
        lines = [*tail, f"{tool}: {self.message}"]
        if self.remedy:
            lines.append(f"  {self.remedy}")
        return "\n".join(lines)
