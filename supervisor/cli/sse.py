"""Server-sent events out of the lines of a stream; pure (HTML standard, section 9.2.6)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Message:
    """One event: its data, lines joined by line feeds, and the last id that the stream told up to here."""

    data: str
    id: str | None


def messages(lines: Iterable[bytes]) -> Iterator[Message]:
    """The messages in `lines`, as they become complete; comments and unknown fields are passed over."""
    data: list[str] = []
    last_id: str | None = None
    for line in lines:
        if not line:
            if data:
                yield Message("\n".join(data), last_id)
            data = []
            continue
        name, _, value = line.decode(errors="replace").partition(":")
        value = value.removeprefix(" ")
        if name == "data":
            data.append(value)
        elif name == "id" and "\0" not in value:
            last_id = value
