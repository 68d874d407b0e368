"""How long the owner of a strict task may go on: as long as half of its guardians promised.

A guardian's promise counts from the moment at which the owner asked, less a margin, so it ends at the owner before it
ends at the guardian, whatever the answer took. The owner stops its copy then, and starts it again with the next lease.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from supervisor.cluster.guardians import upheld
from supervisor.cluster.rules import Rules


class Leases:
    """One owner's leases: when each guardian last said yes to each task."""

    def __init__(self, rules: Rules) -> None:
        self._length_s = rules.lease_s - rules.lease_margin_s
        self._asked: dict[str, dict[str, float]] = {}

    def renewed(self, label: str, guardian: str, asked_at: float) -> None:
        """The guardian said yes to what was asked then."""
        self._asked.setdefault(label, {})[guardian] = asked_at

    def refused(self, label: str, guardian: str) -> None:
        """The guardian knows a newer epoch."""
        self._asked.get(label, {}).pop(guardian, None)

    def ended(self, label: str) -> None:
        """The task is not this owner's any more."""
        self._asked.pop(label, None)

    def is_held_of_all(self, label: str, guardians: Iterable[str], now: float) -> bool:
        """Whether each of them promised, and still keeps to it."""
        asked, since = self._asked.get(label, _NEVER), now - self._length_s
        return all(asked.get(host, since) > since for host in guardians)

    def is_held(self, label: str, sets: tuple[tuple[str, ...], ...], now: float) -> bool:
        """Whether half of each set of guardians promised, and still keep to it."""
        asked = self._asked.get(label, {})
        return upheld(sets, [host for host, since in asked.items() if now - since < self._length_s])


_NEVER: Mapping[str, float] = {}
