"""Which task has which class, and when a class may go. The shaper's thread.

A class is never deleted while a socket carries its number, for that socket would not be slowed any more. So a class
that was freed keeps its limit until the kernel has no such socket, those included that are closed and still send what
they hold. The same rule clears what a killed process left behind: its classes go at the next start, each once its last
socket is over. While another process shapes here too (a hand-over has two for a while), its classes stay, idle or not.
"""

from __future__ import annotations

import contextlib
import secrets
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from supervisor.limits.shaping.carriers import Interface
from supervisor.limits.shaping.handles import MAJOR, MINOR_MAX, Pace, minors, pace, priority
from supervisor.limits.shaping.presence import Presence
from supervisor.limits.shaping.roots import NotShaped, Roots
from supervisor.limits.shaping.values import EgressUsage, Held
from supervisor.spec.enforcement import EGRESS, Enforcement

if TYPE_CHECKING:
    from supervisor.limits.shaping.kernel import Kernel

# Where the kernel does not list sockets, a class that nobody has sent with for so long is one that nobody needs.
QUIET_S = 60.0


@dataclass(slots=True)
class _Class:
    minor: int
    pace: Pace
    addresses: Collection[str] = ()
    interfaces: dict[int, str] = field(default_factory=dict)  # where it is: names by index
    told: bool = False  # sockets may have its number: it cannot have another
    freed: bool = False


class Book:
    """Classes by label. Errors of the kernel for one interface are told in Held; others are OSError."""

    def __init__(
        self,
        kernel: Kernel,
        roots: Roots,
        presence: Presence,
        priorities: Callable[[], frozenset[int]],
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        """`priorities`: SO_PRIORITY of all living sockets; OSError if the kernel does not tell."""
        self._kernel = kernel
        self._roots = roots
        self._presence = presence
        self._priorities = priorities
        self._now = now
        self._classes: dict[str, _Class] = {}
        self._seen: dict[tuple[int, int], tuple[EgressUsage | None, float]] = {}  # by interface and number: since when
        self._start = secrets.randbelow(MINOR_MAX)  # two processes should not try for the same numbers

    # -- what is asked ---------------------------------------------------------------------------------------------

    def hold(self, label: str, bits_per_s: int, addresses: Collection[str]) -> Held:
        """Limits what is sent with the priority that is returned; a label that is held already is changed."""
        known = self._classes.get(label)
        if known is None:
            known = self._classes[label] = _Class(self._unused(), pace(bits_per_s))
        else:
            self._set_pace(known, pace(bits_per_s))
        known.addresses, known.freed = addresses, False
        held = self._held(known)
        known.told = True
        return held

    def change(self, label: str, bits_per_s: int) -> None:
        """Another rate for the sockets that are open and for those to come. KeyError."""
        self._set_pace(self._classes[label], pace(bits_per_s))

    def free(self, label: str) -> None:
        """Nobody gets its priority any more; the sockets that have it stay held until they are closed."""
        known = self._classes.get(label)
        if known is not None:
            known.freed = True

    def usage(self) -> dict[str, EgressUsage]:
        """What each label has sent since it was held; those that are freed are not in it."""
        there = {index: self._classes_on(index) for index in self._used()}
        return {
            label: sum((there[index].get(each.minor, EgressUsage()) for index in each.interfaces), EgressUsage())
            for label, each in self._classes.items()
            if not each.freed
        }

    # -- from time to time -----------------------------------------------------------------------------------------

    def refresh(self) -> dict[str, Held]:
        """Makes up for interfaces that came, and for classes that somebody deleted; how each label is held now."""
        there = {index: self._classes_on(index) for index in self._used()}
        held = {}
        for label, each in self._classes.items():
            if not each.freed:
                for index in [index for index in each.interfaces if each.minor not in there[index]]:
                    del each.interfaces[index]
                held[label] = self._held(each)
        return held

    def sweep(self) -> bool:
        """Deletes classes that nobody needs any more, and roots without one; whether some have to wait."""
        alone = self._presence.is_alone()
        living = _Living(self._priorities)
        for label in [label for label, each in self._classes.items() if each.freed]:
            if self._delete(self._classes[label], living):
                del self._classes[label]
        mine = {each.minor for each in self._classes.values()}
        waits = any(each.freed for each in self._classes.values()) or not (mine or alone)
        for index in self._roots.ours():
            left = set(self._classes_on(index)) - mine
            if alone:
                left -= {minor for minor in left if self._delete_on(index, minor, living)}
                if not left and index not in self._used():
                    self._roots.unmake(index)
            waits = waits or bool(left)
        return waits

    def close(self) -> None:
        """Takes everything away that is this process's alone: the sockets are closed by now."""
        self._presence.leave()
        if self._presence.is_alone():
            for index in self._roots.ours():
                self._roots.unmake(index)
            return
        living = _Living(self._priorities)
        for each in self._classes.values():
            self._delete(each, living)

    # -- how -------------------------------------------------------------------------------------------------------

    def _held(self, known: _Class) -> Held:
        lacking = self._spread(known)
        names = tuple(sorted(known.interfaces.values()))
        return Held(priority(known.minor), names, _enforcement(known.minor, names, lacking))

    def _spread(self, known: _Class) -> list[NotShaped]:
        """Puts a class on all interfaces that are wanted for its addresses; what then is not slowed, and why."""
        lacking = self._roots.passed_by(known.addresses)
        for interface in self._roots.wanted(known.addresses):
            if interface.index not in known.interfaces:
                try:
                    self._put(known, interface)
                except NotShaped as error:
                    lacking.append(error)
        return lacking

    def _put(self, known: _Class, interface: Interface) -> None:
        try:
            self._roots.make_ours(interface)
            self._add(known, interface)
        except OSError as error:
            self._roots.forget()
            raise NotShaped(
                f"{interface.name} cannot be shaped: {error.strerror}",
                f"see `tc qdisc show dev {interface.name}`, or leave it out by naming others in `shapeInterfaces`",
            ) from error

    def _add(self, known: _Class, interface: Interface) -> None:
        while True:
            try:
                self._kernel.add_class(interface.index, known.minor, known.pace)
            except FileExistsError:  # another process has it
                if known.told or known.interfaces:
                    raise
                known.minor = self._unused(beyond=known.minor)
            else:
                known.interfaces[interface.index] = interface.name
                return

    def _set_pace(self, known: _Class, new: Pace) -> None:
        known.pace = new
        for index in list(known.interfaces):
            try:
                self._kernel.change_class(index, known.minor, new)
            except OSError:  # somebody deleted it: refresh() and hold() put it there again
                del known.interfaces[index]

    def _unused(self, beyond: int | None = None) -> int:
        used = {each.minor for each in self._classes.values()}
        candidates = (minor for minor in minors(self._start) if minor not in used)
        if beyond is not None:
            self._start += 1
        return next(minor for minor in candidates if minor != beyond)

    def _delete(self, known: _Class, living: _Living) -> bool:
        for index in list(known.interfaces):
            if not self._delete_on(index, known.minor, living):
                return False
            del known.interfaces[index]
        return True

    def _delete_on(self, index: int, minor: int, living: _Living) -> bool:
        try:
            needed = living.has(priority(minor))
        except OSError:  # the kernel does not list sockets
            needed = not self._is_quiet(index, minor)
        if not needed:
            self._seen.pop((index, minor), None)
            with contextlib.suppress(OSError):  # it is gone, or the whole interface
                self._kernel.delete_class(index, minor)
        return not needed

    def _is_quiet(self, index: int, minor: int) -> bool:
        sent = self._classes_on(index).get(minor)
        before, since = self._seen.get((index, minor), (None, 0.0))
        if sent is None or sent != before:
            self._seen[index, minor] = (sent, self._now())
            return sent is None
        return self._now() - since >= QUIET_S

    def _used(self) -> set[int]:
        return {index for each in self._classes.values() for index in each.interfaces}

    def _classes_on(self, index: int) -> dict[int, EgressUsage]:
        try:
            return self._kernel.classes(index)
        except OSError:  # the interface is gone
            return {}


class _Living:
    """The priorities of living sockets, asked for once, and only if somebody wants to know."""

    def __init__(self, ask: Callable[[], frozenset[int]]) -> None:
        self._ask = ask
        self._told: frozenset[int] | None = None

    def has(self, wanted: int) -> bool:
        """Whether a socket may carry it. OSError."""
        if self._told is None:
            self._told = self._ask()
        return wanted in self._told


def _enforcement(minor: int, names: Collection[str], lacking: list[NotShaped]) -> Enforcement:
    if lacking:
        problem = "; ".join(each.problem for each in lacking)
        return Enforcement(EGRESS, None, problem, "; ".join(dict.fromkeys(each.remedy for each in lacking)))
    return Enforcement(EGRESS, f"HTB class {MAJOR:x}:{minor:x} on {', '.join(names) or 'no interface'}")
