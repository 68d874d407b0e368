"""How a new image spreads: by hosts that go home and come back.

The image of the newest host is the one to have; a host that runs another one is outdated, unless it has gone for that
very image within a day, and came back without it: what gives it its image means another one for it. Nobody but the host
itself can know that, and it keeps it on its disk. So a share of the machines may be given a new image, and one machine
that comes back with an old one makes each of the others start again once at most; and an image that is taken back is
left at once by all that had got it. A host that has lost what it kept takes it that it went for the image that the
newest of the others has when it starts, if it comes without that one.

First a canary share of the hosts takes it. When those have stood for ten minutes, the others follow: while newer hosts
have room, an outdated one takes no new work, drains, and starts again, by the rule for going home; but that it may be
among the newest, though not the newest, since it comes back.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from supervisor.cluster.rules import Rules
from supervisor.cluster.values import Member
from supervisor.cluster.view import View

NOT_OUTDATED = "its image is the newest, or it went for that one within a day and did not get it"


def wanted_image(view: View) -> str:
    """The image of the newest host that says which one it has; '' = nobody does."""
    return next((member.image for member in view.alive if member.image), "")


def has_other_image(view: View, host: Member) -> bool:
    """Whether a host runs another image than the newest one; one that does not say which it has does not."""
    image = wanted_image(view)
    return bool(image) and host.image not in ("", image)


def went_in_vain(went: Mapping[str, float], image: str, now: float, rules: Rules) -> dict[str, float]:
    """Of the images that a host with `image` went for, and when: those of the last day that it came back without.

    And how many seconds ago it went. `now` is of the same clock; what was later than that, as the clock was set back,
    was just now.
    """
    vain = {each: max(0.0, now - at) for each, at in went.items() if each != image}
    return {each: ago for each, ago in vain.items() if ago < rules.update_again_s}


def presumed(view: View, me: str) -> str:
    """The image that a host that starts, and knows nothing of it, may have gone for; '' = none. It may be its own."""
    return wanted_image(View(member for member in view.alive if member.id != me))


def is_outdated(view: View, me: Member, now: float, missed: Mapping[str, float]) -> bool:
    """Whether this host should start again for the newest image. `missed`: image -> until when not for that one."""
    return has_other_image(view, me) and now >= missed.get(wanted_image(view), now)


def rests_for_newer(view: View, me: Member, now: float, rules: Rules, missed: Mapping[str, float]) -> bool:
    """Whether this host leaves new work to hosts with the newer image."""
    return is_outdated(view, me, now, missed) and _has_stood(view, now, rules) and _newer_have_room(view)


def why_not_update(view: View, me: Member, now: float, rules: Rules, missed: Mapping[str, float]) -> str | None:
    """Why this host does not start again with the newer image yet, in words; None: it may, if it is granted."""
    if not is_outdated(view, me, now, missed):
        return NOT_OUTDATED
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
