"""How a cluster comes from one set of keys to another without an agent being shut out. Pure.

Serf's commands act on every member at once: first all learn the new keys, then all use the new first one, and only
when both were confirmed by all may old ones go.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass

from supervisor.cluster.serf.commands import Command

KEY_BYTES = 32  # AES-256


@dataclass(frozen=True, slots=True)
class Step:
    """A command to all members, about one key."""

    command: Command
    key: bytes


def steps(before: Sequence[bytes], after: Sequence[bytes]) -> list[Step]:
    """What is to be done, in this order, each after the one before succeeded on all members. `after` is not empty."""
    found = [Step(Command.INSTALL_KEY, key) for key in after if key not in before]
    if not before or before[0] != after[0]:
        found.append(Step(Command.USE_KEY, after[0]))
    return found + [Step(Command.REMOVE_KEY, key) for key in before if key not in after]


def done(before: Sequence[bytes], step: Step) -> tuple[bytes, ...]:
    """The keys after a step, the one in use first."""
    others = tuple(key for key in before if key != step.key)
    match step.command:
        case Command.INSTALL_KEY:
            return (*others, step.key)
        case Command.USE_KEY:
            return (step.key, *others)
    return others


def encoded(key: bytes) -> str:
    """A key as Serf takes it."""
    return b64encode(key).decode()
