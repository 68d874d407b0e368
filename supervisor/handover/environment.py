"""What the two processes tell each other through the environment."""

from __future__ import annotations

from collections.abc import Mapping

HANDOVER_FD = "ISOLATED_HANDOVER_FD"  # number of the successor's end of the channel
ANNOUNCE_FD = "ISOLATED_ANNOUNCE_FD"  # where a new host says so, for the first process
HANDOVERS = "ISOLATED_HANDOVERS"  # how many processes there were before, since the first was started
BINARY = "ISOLATED_BINARY"  # the one file that this process came from, set by its launcher
SUPERVISED_BY_SYSTEMD = "NOTIFY_SOCKET"
WATCHDOG_PID = "WATCHDOG_PID"  # systemd's: who shall ping it; without, whoever is the main process


def handovers(environ: Mapping[str, str]) -> int:
    """How many processes came before this one; 0 if nobody says so."""
    text = environ.get(HANDOVERS, "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else 0  # digits


def for_successor(environ: Mapping[str, str], channel_fd: int, announce_fd: int | None) -> dict[str, str]:
    """The environment that a successor gets."""
    of_this_process = (WATCHDOG_PID, ANNOUNCE_FD, BINARY)
    kept = {name: value for name, value in environ.items() if name not in of_this_process}
    announce = {} if announce_fd is None else {ANNOUNCE_FD: str(announce_fd)}
    return {**kept, **announce, HANDOVER_FD: str(channel_fd), HANDOVERS: str(handovers(environ) + 1)}


def relays_signals(environ: Mapping[str, str]) -> bool:
    """Whether whoever started the first process knows only that one. systemd is told of the new main process."""
    return SUPERVISED_BY_SYSTEMD not in environ


def becomes_waiter(environ: Mapping[str, str]) -> bool:
    """Whether this process's id must outlive its work: it is the first one, and its parent watches it."""
    return relays_signals(environ) and handovers(environ) == 0
