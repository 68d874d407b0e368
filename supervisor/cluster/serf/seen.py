"""A member as Serf's agent lists it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Any

from supervisor.cluster.serf.codec import items, number, text, texts
from supervisor.cluster.values import MemberState

# "leaving": it said goodbye, and is about to be gone.
_STATES = {
    "alive": MemberState.ALIVE,
    "failed": MemberState.FAILED,
    "leaving": MemberState.LEFT,
    "left": MemberState.LEFT,
}


@dataclass(frozen=True, slots=True)
class Seen:
    """`state` None: the agent does not know yet."""

    name: str
    state: MemberState | None
    address: str = ""  # 'host:port' of its agent
    tags: Mapping[str, str] = field(default_factory=dict, hash=False)


def members_of(body: Any) -> list[Seen]:
    """Those in the body of an answer to `members`, or of a record about members."""
    found = body.get(b"Members") if isinstance(body, dict) else None
    return [_seen(each) for each in items(found) if isinstance(each, dict)]


def _seen(member: dict[Any, Any]) -> Seen:
    return Seen(
        name=text(member.get(b"Name")),
        state=_STATES.get(text(member.get(b"Status"))),
        address=_address(member.get(b"Addr"), number(member.get(b"Port"))),
        tags=texts(member.get(b"Tags")),
    )


def _address(packed: object, port: int) -> str:
    """Addresses come as 16 bytes; IPv4 is mapped into IPv6."""
    try:
        found = ip_address(packed) if isinstance(packed, bytes) else None
    except ValueError:
        found = None
    if found is None:
        return ""
    mapped = getattr(found, "ipv4_mapped", None)
    return (
        f"{mapped}:{port}" if mapped is not None else f"[{found}]:{port}" if found.version == 6 else f"{found}:{port}"
    )
