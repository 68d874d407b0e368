"""How many isolates a host runs at once, and who gives way.

A task that boots takes a place, and gives it back when its isolate is over. When no place is left, isolates that have
nothing to do are ended, the one that was asked longest ago first, and the task waits for theirs. Only if there are not
enough of those is it refused.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from supervisor.pool.waiting import MOST_WAITING
from supervisor.spec.limits import MIB, MemoryLimits

# What a part of the memory limits that is null counts as: the default of both. A guess is better than no bound.
UNLIMITED_COUNTS_AS = 64 * MIB

# When nobody can give way, nobody is asked again for so long: asking thousands takes milliseconds, and whoever floods a
# full host must be refused in microseconds.
ASK_AGAIN_S = 0.05


@dataclass(frozen=True, slots=True)
class PoolLimits:
    """Bounds of a host; None = none. Isolates that wait warm for a task come on top."""

    isolates: int | None = None  # with a task, also those that are ending
    memory: int | None = None  # bytes: the limits.mem of those isolates, heap and external
    queue: int | None = MOST_WAITING  # requests of one task that wait for its boot

    def __post_init__(self) -> None:
        for name in ("isolates", "memory", "queue"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise ValueError(f"{name} is {value}: allowed are whole numbers from 1")


class Guest(Protocol):
    """Somebody who needs a place."""

    @property
    def may_give_way(self) -> bool:
        """Whether it has nothing to do now and can be woken later."""

    @property
    def last_asked(self) -> int:
        """A number that is greater the later it was asked for something."""

    def give_way(self) -> None:
        """Ends soon, and then leaves."""

    def on_room(self) -> None:
        """It has the place that it waited for, and must leave or use it."""


class Place(Enum):
    """What came of asking for one."""

    TAKEN = "taken"
    PROMISED = "promised"  # on_room() follows, unless it withdraws
    NONE = "none"


def memory_of(limits: MemoryLimits) -> int:
    """The bytes that a task with these limits may come to hold."""
    return sum(UNLIMITED_COUNTS_AS if part is None else part for part in (limits.heap, limits.external))


class Room:
    """Places of one host. Loop thread."""

    def __init__(self, limits: PoolLimits, loop: asyncio.AbstractEventLoop) -> None:
        self.limits = limits
        self.memory = 0  # bytes that those inside may come to hold
        self._loop = loop
        self._nobody_until = 0.0  # loop time: until then nobody is asked to give way
        self._inside: dict[Guest, int] = {}
        self._leaving: set[Guest] = set()  # inside, and known to be gone soon
        self._line: dict[Guest, int] = {}  # promised a place, in order

    @property
    def isolates(self) -> int:
        """How many have a place."""
        return len(self._inside)

    def enter(self, guest: Guest, memory: int) -> Place:
        """Takes a place for `guest` with so many bytes, makes others give way for it, or neither."""
        if not self._line and self._fits(1, memory):
            self._take(guest, memory)
            return Place.TAKEN
        if not self._make_room(memory):
            return Place.NONE
        self._line[guest] = memory
        self._soon()  # what is missing may be nothing: those before may fit as well
        return Place.PROMISED

    def leave(self, guest: Guest) -> None:
        """Its isolate is over, or it does not want a place any longer."""
        self._line.pop(guest, None)
        memory = self._inside.pop(guest, None)
        if memory is not None:
            self._leaving.discard(guest)
            self.memory -= memory
            self._nobody_until = 0.0
        self._soon()

    def note_leaving(self, guest: Guest) -> None:
        """It will leave soon: others may be promised its place."""
        if guest in self._inside:
            self._leaving.add(guest)

    def is_waiting(self, guest: Guest) -> bool:
        """Whether it was promised a place that it does not have yet."""
        return guest in self._line

    def _take(self, guest: Guest, memory: int) -> None:
        self._inside[guest] = memory
        self.memory += memory

    def _fits(self, isolates: int, memory: int) -> bool:
        return (self.limits.isolates is None or len(self._inside) + isolates <= self.limits.isolates) and (
            self.limits.memory is None or self.memory + memory <= self.limits.memory
        )

    def _make_room(self, memory: int) -> bool:
        """Makes as few give way as everybody in line and one more need; False, and nobody does, if that cannot be."""
        isolates = 1 + len(self._line) - len(self._leaving)
        memory += sum(self._line.values()) - sum(self._inside[each] for each in self._leaving)
        chosen: list[Guest] = []
        for each in () if self._fits(isolates, memory) else self._by_rest():
            if not each.may_give_way:
                continue
            chosen.append(each)
            isolates -= 1
            memory -= self._inside[each]
            if self._fits(isolates, memory):
                break
        if not self._fits(isolates, memory):
            self._nobody_until = self._loop.time() + ASK_AGAIN_S
            return False
        for each in chosen:
            self._leaving.add(each)
            each.give_way()
        return True

    def _by_rest(self) -> list[Guest]:
        """Who may be asked to give way, asked longest ago first."""
        if self._loop.time() < self._nobody_until:
            return []
        return sorted((each for each in self._inside if each not in self._leaving), key=lambda each: each.last_asked)

    def _soon(self) -> None:
        if self._line:
            self._loop.call_soon(self._let_in)

    def _let_in(self) -> None:
        while self._line:
            guest, memory = next(iter(self._line.items()))
            if not self._fits(1, memory):
                return
            del self._line[guest]
            self._take(guest, memory)
            guest.on_room()
