"""Whether a host says that it has room for new work: with hysteresis, since every change is told to the whole cluster.

Below 5 % left it says no, above 15 % it says yes again; between, what it said last. A load is never told as a number:
with views that are seconds old, everybody would send their work to the same host.
"""

from __future__ import annotations

from supervisor.cluster.rules import Rules


def has_room(said: bool, share_left: float, rules: Rules) -> bool:
    """What to say, after `said`, with `share_left` of what is scarcest."""
    if share_left < rules.room_low:
        return False
    return said or share_left > rules.room_high
