"""Everything that happened on this host lately, as numbered events that readers can follow and come back to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from supervisor.spec.events import Event, EventKind
from supervisor.telemetry.ring import Reader, Ring

# Some hours of a busy host, 15 MB: each takes 1.5 KB (measured).
KEPT = 10_000


@dataclass(frozen=True, slots=True)
class _Kept:
    event: Event
    size: int = 0  # events are bounded by their number alone: the host makes them, and all are small


class Journal:
    """Keeps the last events. Loop thread."""

    def __init__(self, now: Callable[[], float], *, start: int = 1, kept: int = KEPT) -> None:
        """`now` tells seconds since 1970; `start` is the first event's number: `next_number` of the one before."""
        self._now = now
        self._first = max(1, start)
        self._ring: Ring[_Kept] = Ring(kept, first=self._first)
        self._never = range(0)  # numbers that no event has

    @property
    def next_number(self) -> int:
        """The number of the next event: what a successor starts with."""
        return self._ring.next

    def follow(self, last: int) -> None:
        """The journal before this one, of another process, ended with number `last`; 0: there was none."""
        self._never = range(last + 1, self._first)

    def record(self, kind: EventKind, message: str, *, task: str | None = None, **details: Any) -> Event:
        """Adds an event and returns it. Details that are None are left out."""
        known = {name: value for name, value in details.items() if value is not None}
        event = Event(number=self._ring.next, time=self._now(), kind=kind, task=task, message=message, details=known)
        self._ring.append(_Kept(event))
        return event

    def recent(self, count: int) -> list[Event]:
        """The last `count` events, oldest first."""
        return [kept.event for kept in self._ring.last(count)]

    def subscribe(self, after: int | None = None) -> Reader[_Kept, Event]:
        """The events after that number, then new ones as they come; None: only new ones; 0: all that are kept first.

        Events that are not kept any more are told by one in their place, of kind `host` with `details.missed`, whose
        number is that of the last one missed. A number from the future is one of an earlier life of the host, whose
        numbers are not known any more: everything that is kept follows.
        """
        if after is None:
            start = self._ring.next
        elif after <= 0 or after >= self._ring.next:
            start = self._ring.oldest
        else:
            start = after + 1
            if start in self._never:
                start = self._never.stop
        return Reader(self._ring, start, lambda kept: kept.event, self._missed)

    def close(self) -> None:
        """Readers end when they have read what is there."""
        self._ring.close()

    def _missed(self, first: int, last: int) -> Event:
        never = range(max(first, self._never.start), min(last + 1, self._never.stop))
        count = last - first + 1 - len(never)
        words = "1 event is" if count == 1 else f"{count} events are"
        return Event(
            number=last,
            time=self._now(),
            kind=EventKind.HOST,
            message=f"{words} not kept any more",
            details={"missed": count},
        )
