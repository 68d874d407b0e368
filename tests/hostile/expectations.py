"""What each script may lead to: data. Whatever is not named may not lose a thread."""

from __future__ import annotations

from enum import StrEnum


class Outcome(StrEnum):
    """The classes of ends."""

    ENDED = "ended"  # by a limit of the host
    THREW = "threw"  # by an exception of its own
    RETURNED = "returned"  # it came to its end, or went on within its limits until it was told to end
    PARKED = "parked"  # V8 could not go on, or did not stop: its thread is lost
    STUCK = "stuck"  # none of these in time: never allowed
    CRASHED = "crashed"  # the process died: never allowed


ORDINARY = frozenset({Outcome.ENDED, Outcome.THREW, Outcome.RETURNED})

# What a machine's speed or V8's choice decides: V8 13.6 calls its out-of-memory handler, or does not look for the order
# to terminate, in these. Every name here is a thread lost, so the list may only become shorter.
MAY_PARK: frozenset[str] = frozenset()


def allowed(script: str) -> frozenset[Outcome]:
    """The outcomes that are fine for a script, by its name without the ending."""
    return ORDINARY | {Outcome.PARKED} if script in MAY_PARK else ORDINARY
