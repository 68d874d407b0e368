"""When a process with parked threads hands over to a fresh one by itself: pure, time is a parameter.

A fresh process heals only what parked threads took. If living isolates alone are above a threshold, the next process
is above it as well; so that threshold does not count, and however it comes about, processes do not replace each other
faster and faster: at most one a minute, then each after twice the time.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from supervisor.spec.taint import Taint, Thresholds, why_hand_over

# Boots of a full host and the drain of its predecessor are over by then.
FIRST_GAP_S = 60.0
LONGEST_GAP_S = 3600.0


@dataclass(frozen=True, slots=True)
class Renewals:
    """Attempts that nobody asked for, in a row, over all processes; `last` is on the caller's clock, seconds."""

    tries: int = 0
    last: float = 0.0

    def after_try(self, now: float) -> Renewals:
        """What follows from an attempt at `now`. After the longest gap without one the row begins anew."""
        calm = self.tries == 0 or now - self.last > 2 * LONGEST_GAP_S
        return Renewals(1 if calm else self.tries + 1, now)

    def wait_s(self, now: float, *, fault: bool = False) -> float:
        """Seconds until the next attempt; after a `fault`, which damages others, never more than the first gap."""
        if self.tries == 0:
            return 0.0
        # more doublings than that need no number
        gap_s = FIRST_GAP_S if fault else min(LONGEST_GAP_S, FIRST_GAP_S * 2.0 ** min(self.tries - 1, 100))
        return max(0.0, self.last + gap_s - now)

    def saved(self, now: float) -> dict[str, Any]:
        """For another process: its clock may differ."""
        return {"tries": self.tries, "agoS": now - self.last}

    @classmethod
    def load(cls, saved: Mapping[str, Any], now: float) -> Renewals:
        """Those of an earlier process; it may know nothing of them."""
        return cls(int(saved.get("tries", 0)), now - float(saved.get("agoS", 0.0)))


def explained(thresholds: Thresholds, clean: Taint | None) -> Thresholds:
    """The thresholds that a fresh process would be below.

    `clean` is how this process was before it parked a thread; None: it was never seen so, and all count.
    """
    if clean is None:
        return thresholds
    # The same question, as if one thread had been parked that took nothing.
    healthy = replace(clean, parked=1, faults=0)
    mappings, memory = thresholds.mappings, thresholds.memory
    by_mappings = why_hand_over(healthy, Thresholds(parked=None, mappings=mappings, memory=None))
    by_memory = why_hand_over(healthy, Thresholds(parked=None, mappings=None, memory=memory))
    return replace(
        thresholds, mappings=None if by_mappings else mappings, memory=None if by_memory else memory
    )  # fmt: skip


def why_renew(
    taint: Taint, clean: Taint | None, thresholds: Thresholds, renewals: Renewals, now: float
) -> str | None:  # fmt: skip
    """Why a fresh process should take over now, in words; None if this one goes on for now."""
    why = why_hand_over(taint, explained(thresholds, clean))
    return None if why is None or renewals.wait_s(now, fault=taint.faults > 0) > 0 else why
