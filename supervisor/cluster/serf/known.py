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


def dump(members: Iterable[Member], ended: Iterable[str] = ()) -> bytes:
    """The contents of the file; `ended`: ids of hosts that will not come back, as an operator said."""
    hosts = [{"id": each.id, "left": each.alive is MemberState.LEFT, "tags": tags_of(each)} for each in members]
    return json.dumps({"version": VERSION, "hosts": hosts, "ended": sorted(ended)}, indent=1).encode()


def load(data: bytes, now: float) -> list[Member]:
    """Those members, failed since `now` until they are seen; what makes no sense is left out."""
    found = [_member(each, now) for each in _listed(data, "hosts") if isinstance(each, dict)]
    return [member for member in found if member is not None]


def load_ended(data: bytes) -> list[str]:
    """Ids of the hosts that will not come back; what makes no sense is left out."""
    return [each for each in _listed(data, "ended") if isinstance(each, str)]


def _listed(data: bytes, name: str) -> list[Any]:
    try:
        document = json.loads(data)
    except ValueError, RecursionError:
        return []
    found = document.get(name) if isinstance(document, dict) and document.get("version") == VERSION else None
    return found if isinstance(found, list) else []


def _member(host: dict[str, Any], now: float) -> Member | None:
    name, tags = host.get("id"), host.get("tags")
    if not isinstance(name, str) or not isinstance(tags, dict):
        return None
    texts = {str(key): str(value) for key, value in tags.items()}
    member = member_of(Seen(name, MemberState.FAILED, tags=texts), now)
    return replace(member, alive=MemberState.LEFT) if member is not None and host.get("left") is True else member
