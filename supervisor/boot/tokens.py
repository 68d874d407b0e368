"""One-time tokens: what entitles a machine that boots to fetch the key, once and soon. Pure: time and chance are given.

A token belongs to one machine and one boot. A boot begins when the machine fetches its script; from then on tokens are
handed out for it, one at a time. Once the key was given, a token alone does not lead to it any more (journal.py).
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from enum import StrEnum


class Answer(StrEnum):
    """What became of an attempt to use a token."""

    GIVEN = "given"
    UNKNOWN = "this is not a token that was handed out, or it was used before"
    ANOTHER = "the token was handed out to another machine"
    LATE = "the token has expired"


@dataclass(frozen=True, slots=True)
class _Handed:
    machine: str
    until: float


class Tokens:
    """Those that may still be used. Secrets are kept as digests, so that a dump of the memory gives none away."""

    def __init__(self, life_s: float) -> None:
        self._life_s = life_s
        self._handed: dict[bytes, _Handed] = {}

    def hand_out(self, machine: str, secret: str, now: float) -> str:
        """`secret`, which is a token of `machine` from now on; one that it had before is void."""
        live = {
            digest: each for digest, each in self._handed.items() if each.machine != machine and each.until > now - 3600
        }
        self._handed = live | {_digest(secret): _Handed(machine, now + self._life_s)}
        return secret

    def use(self, secret: str, machine: str, now: float) -> Answer:
        """Whether the key may be given. Whatever the answer, the token is void afterwards."""
        digest = _digest(secret)
        found = next((each for each in self._handed if hmac.compare_digest(each, digest)), None)
        if found is None:
            return Answer.UNKNOWN
        handed = self._handed.pop(found)
        if handed.machine != machine:
            return Answer.ANOTHER
        return Answer.LATE if handed.until <= now else Answer.GIVEN


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode("utf-8", "surrogateescape")).digest()
