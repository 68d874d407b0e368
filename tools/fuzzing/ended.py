"""What became of one program: what the child tells and the parent reads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Kind(StrEnum):
    """What is a finding."""

    DEATH = "death"  # the process died
    HANG = "hang"  # the process's loop stood still
    FAULT = "fault"  # a thread accessed memory that is not its own
    LATE = "late"  # not over in time after its limit
    WRONG = "wrong"  # an answer, a record, a reason that may not be
    NEIGHBOUR = "neighbour"  # the neighbour or a fresh isolate suffered


@dataclass(frozen=True, slots=True)
class Wrong:
    """One thing that may not be."""

    kind: Kind
    text: str
    program: str = ""  # its name, if it is known which


@dataclass
class Ended:
    """How a program ended. `reason`: an ExitReason's value, or `answered`; with what V8 said if a thread was lost."""

    program: str
    reason: str = ""
    parked: bool = False
    seconds: float = 0.0
    syntax_error: bool = False
    wrong: list[Wrong] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class After:
    """The state of the child after a batch."""

    parked: int
    rss_mib: float
    wrong: tuple[Wrong, ...]


def wrong_of(document: Mapping[str, Any]) -> Wrong:
    """Returns what asdict() told."""
    return Wrong(Kind(document["kind"]), document["text"], document["program"])


def ended_of(document: Mapping[str, Any]) -> Ended:
    """Returns what asdict() told."""
    return Ended(**{**document, "wrong": [wrong_of(each) for each in document["wrong"]]})


def after_of(document: Mapping[str, Any]) -> After:
    """Returns what asdict() told."""
    return After(document["parked"], document["rss_mib"], tuple(wrong_of(each) for each in document["wrong"]))
