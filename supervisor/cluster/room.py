"""Whether a host says that it has room for new work: with hysteresis, since every change is told to the whole cluster.

Below 5 % left it says no, above 15 % it says yes again; between, what it said last. A load is never told as a number:
with views that are seconds old, everybody would send their work to the same host.
"""

from __future__ import annotations

from supervisor.cluster.rules import Rules
from supervisor.cluster.values import Capacity, Needs
from supervisor.spec.units import SIZE


def has_room(said: bool, share_left: float, rules: Rules) -> bool:
    """What to say, after `said`, with `share_left` of what is scarcest."""
    if share_left < rules.room_low:
        return False
    return said or share_left > rules.room_high


def lack(needs: Needs, free: Capacity) -> str | None:
    """What a host with so much left has too little of, for people; None: of nothing."""
    if free.memory is not None and needs.memory > free.memory:
        return f"it has {SIZE.tell(max(0, free.memory))} of memory left, and {SIZE.tell(needs.memory)} are needed"
    if free.isolates is not None and needs.isolates > free.isolates:
        return f"it may have {max(0, free.isolates)} isolates more, and {needs.isolates} are needed"
    taken = sorted(set(needs.cores or ()) - free.cores)
    return f"its core {', '.join(map(str, taken))} is another task's, or not there" if taken else None
