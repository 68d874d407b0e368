"""Members as tests need them."""

from __future__ import annotations

from typing import Any

from supervisor.cluster.serf.seen import Seen
from supervisor.cluster.serf.tags import tags_of
from supervisor.cluster.values import HostState, Member, MemberState


def member(name: str = "h1", **changes: Any) -> Member:
    """A host that is alive and up."""
    values = {
        "boot_time": 1000.25, "api": "10.0.0.1:7000", "alive": MemberState.ALIVE, "state": HostState.UP, "room": True,
        "image": "2026-11-30", "since": 5.0,
    }  # fmt: skip
    return Member(id=name, **{**values, **changes})


def seen(of: Member) -> Seen:
    """As an agent lists it."""
    return Seen(of.id, of.alive, "10.0.0.1:7946", tags_of(of))
