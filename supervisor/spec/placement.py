"""Where in a cluster a task may run, and what it wants when hosts cannot see each other."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, PlainValidator, WithJsonSchema

from supervisor.spec.host_id import HOST_ID, is_host_id
from supervisor.spec.model import AS_IT_IS, Settings
from supervisor.spec.refused import Refused

MODES = ("bestEffort", "strict")


def _parse_hosts(value: object) -> tuple[str, ...] | None:
    if value is None:
        return None
    if isinstance(value, list | tuple) and value and all(map(is_host_id, value)):
        return tuple(sorted(set(value)))
    raise Refused(
        "not a list of hosts",
        allowed="ids of hosts (1 to 64 of a-z 0-9 -), at least one, or null for any host",
        remedy="`isolated hosts` lists them; leave `placement.hosts` out to run on any",
    )


def _parse_mode(value: object) -> str:
    if value in MODES:
        return str(value)
    raise Refused(
        "no such mode",
        allowed=" or ".join(MODES),
        remedy="bestEffort rather has two copies for a while than none, strict rather none than two",
    )


type Hosts = Annotated[
    tuple[str, ...] | None,
    PlainValidator(_parse_hosts),
    AS_IT_IS,
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "array", "items": {"type": "string", "pattern": f"^{HOST_ID}$"}, "minItems": 1},
                {"type": "null"},
            ]
        }
    ),
]
type PlacementMode = Annotated[
    Literal["bestEffort", "strict"], PlainValidator(_parse_mode), WithJsonSchema({"enum": list(MODES)})
]


class Placement(Settings):
    """What a cluster heeds when it chooses a host."""

    hosts: Hosts = Field(None, description="ids of the hosts that it may run on; null: any")
    mode: PlacementMode = Field(
        "bestEffort",
        description="when hosts cannot see each other: rather two copies for a while (bestEffort) or none (strict)",
    )
