"""The order of a run: alternating, so that a noisy minute hits everybody (A B C A B C, never A A B B)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Turn[S]:
    """One subject's turn in one round (from 0) of one case."""

    case: str
    round: int
    subject: S


def turns[S](cases: Sequence[str], rounds: int, subjects: Sequence[S]) -> Iterator[Turn[S]]:
    """Yields case after case; within a case round after round, each with every subject once in the order given."""
    for case in cases:
        for number in range(rounds):
            for subject in subjects:
                yield Turn(case, number, subject)
