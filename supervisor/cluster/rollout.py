"""How a new image spreads: by hosts that go home and come back.

The image of the newest host is the one to have; a host that runs another one is outdated, if it has not started since
the first host with that image did: one that has, and did not get it, would not get it now, since what gives it its
image means another one for it. It tries again after a day. So a share of the machines may be given a new image, and one
machine that comes back with an old one makes each of the others start again once at most. First a canary share of the
hosts takes it. When those have stood for ten minutes, the others follow: while newer hosts have room, an outdated one
takes no new work, drains, and starts again, by the rule for going home; but that it may be among the newest, though
not the newest, since it comes back.
"""

from __future__ import annotations

import math

from supervisor.cluster.rules import Rules
from supervisor.cluster.values import Member
from supervisor.cluster.view import View


def wanted_image(view: View) -> str:
    """The image of the newest host that says which one it has; '' = nobody does."""
    return next((member.image for member in view.alive if member.image), "")


def is_outdated(view: View, me: Member, now: float, rules: Rules) -> bool:
    """Whether the host runs another image than the newest one, and would probably get that one if it started again."""
    image = wanted_image(view)
    if not image or me.image in ("", image):
        return False
    first = min(member.boot_time for member in view.alive if member.image == image) + rules.skew_s
    return me.boot_time < first or now - me.since >= rules.update_again_s


def rests_for_newer(view: View, me: Member, now: float, rules: Rules) -> bool:
    """Whether the host leaves new work to hosts with the newer image."""
    return is_outdated(view, me, now, rules) and _has_stood(view, now, rules) and _newer_have_room(view)


def why_not_update(view: View, me: Member, now: float, rules: Rules) -> str | None:
    """Why the host does not start again with the newer image yet, in words; None: it may, if it is granted."""
    if not is_outdated(view, me, now, rules):
        return "its image is the newest, or the one that it gets"
    if not _newer_have_room(view):
        return "no host with the newer image has room"
    if not _has_stood(view, now, rules) and _taking(view, me) >= canaries(view, rules):
        return f"the first {canaries(view, rules)} hosts with the newer image have not stood for {rules.canary_s:g} s"
    return None


def canaries(view: View, rules: Rules) -> int:
    """How many hosts take a new image first."""
    return max(1, math.ceil(rules.canary * len(view.alive)))


def _has_stood(view: View, now: float, rules: Rules) -> bool:
    stood = sum(member.image == wanted_image(view) and now - member.since >= rules.canary_s for member in view.up)
    return stood >= canaries(view, rules)


def _taking(view: View, me: Member) -> int:
    """Hosts that have the newer image or are about to take it."""
    image = wanted_image(view)
    return sum(member.image == image or member.id in view.draining for member in view.alive if member.id != me.id)


def _newer_have_room(view: View) -> bool:
    image = wanted_image(view)
    return any(member.image == image for member in view.with_room)
