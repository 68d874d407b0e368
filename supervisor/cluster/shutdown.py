"""When an idle host may go home: the quorum-and-floor rule.

It has been idle and up for long enough. It sees more than half of the hosts that did not say goodbye: a minority
freezes. At least `floor` hosts that are up are newer than it is: so the newest never go. Of the hosts that stay, some
have room. Fewer than 2 % of the hosts drain (at least one may). The oldest go first: a newer host waits longer.

It asks the newest 3 hosts, and 2 of them must grant it; then it drains, waits until everybody knows, looks again and
asks again. They apply the rule to their own view and count what they granted and do not see drain yet, each to half
of the 2 %, so no more than the 2 % ever drain, though a newer host takes the place of one of the three and knows
nothing of what that granted; who has just started grants nobody for as long as a grant counts. Without the grants,
hosts with views that are seconds old would all go within seconds.
"""

from __future__ import annotations

import math
from collections.abc import Collection

from supervisor.cluster.rules import Rules
from supervisor.cluster.values import Member, MemberState
from supervisor.cluster.view import View, newest_first

GRANTERS = 3


def is_rested(view: View, me: Member, idle_s: float, up_s: float, rules: Rules) -> bool:
    """Whether the host has been idle and up for long enough, given its place in the order of age."""
    patience_s = rules.spread_s * (1 - view.rank.get(me.id, 0) / max(1, len(view.up)))
    return idle_s >= rules.idle_s + patience_s and up_s >= rules.age_s


def why_stay(view: View, me: Member, rules: Rules, *, gone: Collection[str] = ()) -> str | None:
    """Why the host has to stay, in words; None: it may go, if it is granted. `gone`: who was granted already."""
    newer = sum(newest_first(member) < newest_first(me) and member.id not in gone for member in view.up)
    if newer < rules.floor:
        return f"only {newer} hosts are newer, and {rules.floor} have to stay"
    return _why_wait(view, me, rules, rules.floor, gone)


def why_wait(view: View, me: Member, rules: Rules, *, gone: Collection[str] = ()) -> str | None:
    """Why a host that comes back with a newer image has to wait.

    It may be among the newest, and in a cluster of `floor` hosts or less all others stay: those that left a while ago
    may be about to come back, and count among them.
    """
    return _why_wait(view, me, rules, max(1, min(rules.floor, len(view.members) - 1)), gone)


def _why_wait(view: View, me: Member, rules: Rules, floor: int, gone: Collection[str]) -> str | None:
    staying = [member for member in view.up if member.id != me.id and member.id not in gone]
    if not view.has_majority:
        return f"only {len(view.alive)} of {view.expected} hosts are seen"
    if len(staying) < floor:
        return f"only {len(staying)} hosts would stay up, and {floor} have to"
    if len((view.draining | set(gone)) - {me.id}) >= (most := at_a_time(view, rules)):
        return f"{most} hosts may go at a time, and as many are about to"
    with_room = sum(member.room for member in staying)
    if with_room < (needed := max(1, math.ceil(rules.headroom * len(staying)))):
        return f"only {with_room} of the hosts that stay have room, and {needed} should"
    return None


def at_a_time(view: View, rules: Rules) -> int:
    """How many hosts may be about to go at the same time, as far as one granter knows.

    Half of the share: what 3 granters count differs, 2 of them are enough, so half as many again may go; and as many as
    that again when a newer host takes the place of one of them.
    """
    return max(1, int(rules.share * len(view.alive) * 2 / (GRANTERS + 1)))


def granters(view: View, me: str) -> tuple[Member, ...]:
    """Whom to ask: the newest hosts."""
    return tuple(member for member in view.up if member.id != me)[:GRANTERS]


def is_granted(yes: int, asked: int) -> bool:
    """Whether that many grants are enough: 2 of 3; of fewer, all of them."""
    return asked > 0 and yes >= min(asked, 2)


class Grants:
    """What one host granted: remembered until the other is seen to have left, or for 15 s."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self._until: dict[str, float] = {}

    def open(self, view: View, now: float) -> frozenset[str]:
        """Ids of the hosts that may go and have not gone yet."""
        for host, until in list(self._until.items()):
            member = view.get(host)
            if now >= until or member is None or member.alive is MemberState.LEFT:
                del self._until[host]
        return frozenset(self._until)

    def note(self, host: str, now: float) -> None:
        """It was granted."""
        self._until[host] = now + self._rules.grant_s
