"""The conversation of a hand-over as a table, and who goes on if the other one vanishes.

    successor    HELLO                     TAKEN            READY           COMMITTED
    predecessor         OFFER  HANDLES ...       ... BOOT          COMMIT

Until COMMIT the predecessor is the host, and a successor that loses it ends. From COMMIT on the successor is, once it
has read it; the predecessor gives up its place only when it has read COMMITTED, or else when the successor is dead.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import Enum, StrEnum

VERSIONS = (1,)  # that this program speaks, oldest first: another binary may be older or newer


class ProtocolError(Exception):
    """The other side said something that has no place in this conversation."""


class Word(StrEnum):
    """What is said."""

    HELLO = "hello"  # successor: its pid, its version, the versions of the protocol that it speaks
    OFFER = "offer"  # predecessor: the manifest and how many handles will come; its stderr comes with it
    HANDLES = "handles"  # predecessor: the keys of the handles that come with this
    TAKEN = "taken"  # successor: it has them
    BOOT = "boot"  # predecessor: that was all
    READY = "ready"  # successor: it could serve now
    COMMIT = "commit"  # predecessor: do; with what changed since the offer
    COMMITTED = "committed"  # successor: it does
    FAILED = "failed"  # successor: it cannot, and why


class Phase(Enum):
    """How far a hand-over is."""

    STARTING = "starting"
    GREETED = "greeted"
    OFFERED = "offered"
    SENDING = "sending"
    BOOTING = "booting"
    READY = "ready"
    COMMITTING = "committing"
    COMMITTED = "committed"
    FAILED = "failed"


class Side(Enum):
    """The two processes."""

    PREDECESSOR = "predecessor"
    SUCCESSOR = "successor"


SPEAKERS: Mapping[Word, Side] = {
    Word.HELLO: Side.SUCCESSOR,
    Word.OFFER: Side.PREDECESSOR,
    Word.HANDLES: Side.PREDECESSOR,
    Word.TAKEN: Side.SUCCESSOR,
    Word.BOOT: Side.PREDECESSOR,
    Word.READY: Side.SUCCESSOR,
    Word.COMMIT: Side.PREDECESSOR,
    Word.COMMITTED: Side.SUCCESSOR,
    Word.FAILED: Side.SUCCESSOR,
}

CONVERSATION: Mapping[tuple[Phase, Word], Phase] = {
    (Phase.STARTING, Word.HELLO): Phase.GREETED,
    (Phase.GREETED, Word.OFFER): Phase.OFFERED,
    (Phase.OFFERED, Word.HANDLES): Phase.SENDING,
    (Phase.SENDING, Word.TAKEN): Phase.OFFERED,  # one at a time: the kernel bounds what is on its way
    (Phase.OFFERED, Word.BOOT): Phase.BOOTING,
    (Phase.BOOTING, Word.READY): Phase.READY,
    (Phase.READY, Word.COMMIT): Phase.COMMITTING,
    (Phase.COMMITTING, Word.COMMITTED): Phase.COMMITTED,
    # It may have failed before it read what was said to it meanwhile.
    (Phase.GREETED, Word.FAILED): Phase.FAILED,
    (Phase.OFFERED, Word.FAILED): Phase.FAILED,
    (Phase.SENDING, Word.FAILED): Phase.FAILED,
    (Phase.BOOTING, Word.FAILED): Phase.FAILED,
    (Phase.READY, Word.FAILED): Phase.FAILED,
    (Phase.COMMITTING, Word.FAILED): Phase.FAILED,
}

_SUCCESSOR_IS_HOST = frozenset({Phase.COMMITTING, Phase.COMMITTED})


def goes_on(side: Side, phase: Phase) -> bool:
    """Whether `side`, which is that far, is the host if the other one is dead."""
    if side is Side.PREDECESSOR:
        return phase is not Phase.COMMITTED
    return phase in _SUCCESSOR_IS_HOST


def common_version(theirs: Sequence[object]) -> int:
    """The newest version that both sides speak. ProtocolError if there is none."""
    found = set(VERSIONS).intersection(each for each in theirs if isinstance(each, int))
    if not found:
        raise ProtocolError(
            f"it speaks versions {_listed(theirs)} of the hand-over protocol, this process {_listed(VERSIONS)}"
        )
    return max(found)


def _listed(versions: Sequence[object]) -> str:
    return ", ".join(map(str, versions[:10])) or "none"
