"""What a host's room is promised to: the only truth about whether a task fits.

A reservation holds memory, isolates and cores for one label. Without confirm() it expires after 10 s. The same label
and epoch reserve once; a newer epoch of a label takes the place of an older one's reservation.
"""

from __future__ import annotations

from dataclasses import dataclass

from supervisor.cluster.room import lack
from supervisor.cluster.rules import Rules
from supervisor.cluster.values import Admitted, Capacity, Full, Needs, Refused


@dataclass(frozen=True, slots=True)
class _Reservation:
    epoch: int
    needs: Needs
    until: float | None  # None: confirmed


class Admission:
    """The book of one host's reservations."""

    def __init__(self, host: str, capacity: Capacity, rules: Rules) -> None:
        self._host = host
        self._capacity = capacity
        self._rules = rules
        self._held: dict[str, _Reservation] = {}
        self._unconfirmed: dict[str, float] = {}
        self._memory = 0
        self._isolates = 0
        self._cores: set[int] = set()

    def reserve(self, label: str, epoch: int, needs: Needs, now: float) -> Admitted | Full | Refused:
        """Takes room for a task, all of it or nothing."""
        self._expire(now)
        held = self._held.get(label)
        if held is not None and held.epoch >= epoch:
            return self._again(held, epoch, label, now)
        if needs.hosts is not None and self._host not in needs.hosts:
            return Refused(f"task {label} may only run on {', '.join(needs.hosts)}, not on {self._host}")
        if held is not None:
            self._take_out(label)
        if lack(needs, self.free) is not None:
            if held is not None:
                self._put_in(label, held)
            return Full(self.free)
        self._put_in(label, _Reservation(epoch, needs, now + self._rules.reservation_s))
        return Admitted()

    def confirm(self, label: str, epoch: int, now: float) -> bool:
        """The task is here for good; False: its reservation has expired or was for another epoch."""
        self._expire(now)
        held = self._held.get(label)
        if held is None or held.epoch != epoch:
            return False
        self._take_out(label)
        self._put_in(label, _Reservation(epoch, held.needs, None))
        return True

    def insist(self, label: str, epoch: int, needs: Needs) -> None:
        """Takes room whether there is some or not: for a task that this host had before it started."""
        if label in self._held:
            self._take_out(label)
        self._put_in(label, _Reservation(epoch, needs, None))

    def release(self, label: str) -> None:
        """The task is not here any more; no-op if it never was."""
        if label in self._held:
            self._take_out(label)

    @property
    def free(self) -> Capacity:
        """What is left."""
        memory, isolates = self._capacity.memory, self._capacity.isolates
        return Capacity(
            None if memory is None else memory - self._memory,
            None if isolates is None else isolates - self._isolates,
            self._capacity.cores - self._cores,
        )

    @property
    def share_left(self) -> float:
        """Of what is scarcest, the share that is left: 0 to 1; below 0 after insist()."""
        shares = [1.0]
        if self._capacity.memory:
            shares.append(1 - self._memory / self._capacity.memory)
        if self._capacity.isolates:
            shares.append(1 - self._isolates / self._capacity.isolates)
        return min(shares)

    def _again(self, held: _Reservation, epoch: int, label: str, now: float) -> Admitted | Refused:
        if held.epoch > epoch:
            return Refused(f"a newer placement of task {label} is here already")
        if held.until is not None:
            self._take_out(label)
            self._put_in(label, _Reservation(epoch, held.needs, now + self._rules.reservation_s))
        return Admitted()

    def _put_in(self, label: str, reservation: _Reservation) -> None:
        self._held[label] = reservation
        self._memory += reservation.needs.memory
        self._isolates += reservation.needs.isolates
        self._cores.update(reservation.needs.cores or ())
        if reservation.until is not None:
            self._unconfirmed[label] = reservation.until

    def _take_out(self, label: str) -> None:
        reservation = self._held.pop(label)
        self._memory -= reservation.needs.memory
        self._isolates -= reservation.needs.isolates
        self._cores.difference_update(reservation.needs.cores or ())
        self._unconfirmed.pop(label, None)

    def _expire(self, now: float) -> None:
        for label in [label for label, until in self._unconfirmed.items() if now >= until]:
            self._take_out(label)
