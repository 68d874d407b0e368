"""Members as tags: what a host publishes about itself through Serf, in 512 bytes. Pure.

The host's id is Serf's name for the node and no tag. Tags are gossiped to everyone whenever one changes: nothing that
changes more often than a task comes or goes belongs here.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import replace

from supervisor.cluster.serf.codec import encode
from supervisor.cluster.serf.errors import IdentityRefused
from supervisor.cluster.serf.seen import Seen
from supervisor.cluster.values import HostState, Member
from supervisor.printable import printable, shown

LARGEST = 512  # bytes of all tags of a member: memberlist's MetaMaxSize
_MAGIC = 1  # byte that Serf puts before them
_ID = re.compile(r"[a-z0-9-]{1,64}")
_API = re.compile(r"(?:\[[0-9a-f:.]+\]|[A-Za-z0-9._-]+):[0-9]{1,5}")
_LONGEST_STATE = max(HostState, key=len)


def tags_of(own: Member) -> dict[str, str]:
    """What `own` publishes."""
    return {
        "boot": f"{own.boot_time:.3f}",
        "api": own.api,
        "state": own.state,
        "room": "1" if own.room else "0",
        "image": own.image,
    }


def size(tags: Mapping[str, str]) -> int:
    """Bytes that they take of LARGEST."""
    return _MAGIC + len(encode(dict(tags)))


def check(own: Member) -> None:
    """IdentityRefused unless `own` can be published, in whatever state it will be."""
    if _ID.fullmatch(own.id) is None:
        raise IdentityRefused("hostId", own.id, "1 to 64 of a-z, 0-9 and -", "choose another name for this host")
    if _API.fullmatch(own.api) is None:
        raise IdentityRefused(
            "api", own.api, "host:port or [IPv6]:port", "give the address that peers reach this host at"
        )
    if printable(own.image) != own.image:
        raise IdentityRefused("image", own.image, "printable characters", "give the image another id")
    over = size(tags_of(replace(own, state=_LONGEST_STATE))) - LARGEST
    if over > 0:
        field, value = max(("api", own.api), ("image", own.image), key=lambda pair: len(pair[1]))
        allowed = f"{len(value.encode()) - over} bytes beside this host's other tags ({LARGEST} in all)"
        raise IdentityRefused(field, value, allowed, "use a shorter one")


def member_of(seen: Seen, since: float) -> Member | None:
    """The member that was listed; None if it is no host of ours: its tags are missing or make no sense."""
    tags = seen.tags
    if seen.state is None or _ID.fullmatch(seen.name) is None or _API.fullmatch(tags.get("api", "")) is None:
        return None
    try:
        boot_time, state = float(tags.get("boot", "")), HostState(tags.get("state", ""))
    except ValueError:
        return None
    if not math.isfinite(boot_time):
        return None
    return Member(
        id=seen.name,
        boot_time=boot_time,
        api=tags["api"],
        alive=seen.state,
        state=state,
        room=tags.get("room") == "1",
        image=printable(tags.get("image", "")),
        since=since,
    )


def foreign(seen: Seen) -> str:
    """Words for a member that is no host of ours."""
    return f"{shown(seen.name)} at {seen.address} has the cluster's key, but not a host's tags"
