"""What a check finds. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Weight(StrEnum):
    """Whether machines can boot in spite of it."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing wrong, with what to do."""

    weight: Weight
    what: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.weight}: {self.what}\n  {self.remedy}"


def error(what: str, remedy: str | None) -> Finding:
    """Machines, or some of them, do not boot."""
    return Finding(Weight.ERROR, what, remedy or "mend it and check again")


def warning(what: str, remedy: str) -> Finding:
    """They boot, but not as somebody may expect."""
    return Finding(Weight.WARNING, what, remedy)
