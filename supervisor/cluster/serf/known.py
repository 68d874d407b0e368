"""The members that an earlier process knew, in a file: whoever failed before this one started is not forgotten.

Without it a host that restarts in the smaller half of a torn cluster would take the half for the whole.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from supervisor.cluster.serf.seen import Seen
from supervisor.cluster.serf.tags import member_of, tags_of
from supervisor.cluster.values import Member, MemberState

VERSION = 1


def dump(members: Iterable[Member]) -> bytes:
    """The contents of the file."""
    hosts = [{"id": each.id, "left": each.alive is MemberState.LEFT, "tags": tags_of(each)} for each in members]
    return json.dumps({"version": VERSION, "hosts": hosts}, indent=1).encode()


def load(data: bytes, now: float) -> list[Member]:
    """Those members, failed since `now` until they are seen; what makes no sense is left out."""
    try:
        document = json.loads(data)
    except ValueError, RecursionError:
        return []
    hosts = document.get("hosts") if isinstance(document, dict) and document.get("version") == VERSION else None
    found = [_member(each, now) for each in hosts if isinstance(each, dict)] if isinstance(hosts, list) else []
    return [member for member in found if member is not None]


def _member(host: dict[str, Any], now: float) -> Member | None:
    name, tags = host.get("id"), host.get("tags")
    if not isinstance(name, str) or not isinstance(tags, dict):
        return None
    texts = {str(key): str(value) for key, value in tags.items()}
    member = member_of(Seen(name, MemberState.FAILED, tags=texts), now)
    return replace(member, alive=MemberState.LEFT) if member is not None and host.get("left") is True else member
