"""What happens on a host, told once, as values: every transition of a task, every end, what the host does itself."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel


class View(BaseModel):
    """A value that leaves the host: immutable, camelCase in JSON."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", alias_generator=to_camel, validate_by_name=True, serialize_by_alias=True
    )


class EventKind(StrEnum):
    """What a line of the event stream is about."""

    APPLIED = "applied"  # a task came or changed
    REMOVED = "removed"
    STATE = "state"  # a task went to another state (fields state, before)
    EXIT = "exit"  # an isolate ended (fields reason, limit, measured)
    LATE = "late"  # requests were not answered within limits.cpu.wall (field count)
    BLOCKED = "blocked"  # a script is not started again for now (fields sources, reason)
    RELEASED = "released"
    HANDOVER = "handover"  # the host is replaced by a fresh process (fields phase, reason)
    HOST = "host"  # the host started, drains, ends (field phase)


class Event(View):
    """One thing that happened. Numbers rise by one within a process, and go on across a hand-over."""

    number: int
    time: float = Field(description="seconds since 1970")
    kind: EventKind
    task: str | None = Field(default=None, description="the task's id as a text; null: the host")
    message: str = Field(description="in words, for people")
    details: dict[str, Any] = Field(default_factory=dict, description="what belongs to the kind")
