"""What the cluster's procedures ask of the world, and what a host answers to its peers."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from supervisor.cluster.values import (
    Admitted,
    Booted,
    Capacity,
    Cause,
    Claim,
    Departure,
    Full,
    HostState,
    Leased,
    Member,
    Promised,
    Record,
    Refused,
    Revised,
    Version,
    Withheld,
)


class Silent(Exception):
    """A host did not answer in time, or cannot be reached: it may or may not have done what it was asked."""


class BootFailed(Exception):
    """A task did not come up on this host; the message says why, for people."""

    def __init__(self, problem: str, cause: Cause = Cause.HOST) -> None:
        super().__init__(problem)
        self.cause = cause


class Door(Protocol):
    """What a host answers to its peers. The coordinator is one; the peer door of the control API calls it.

    Each call is idempotent. `caller`: id of the host that asks, from which the bundle of `record` may be had; ''
    if it does not say. Loop thread.
    """

    async def admit(self, record: Record, caller: str = "") -> Admitted | Full | Refused:
        """Reserves room for `record` (its owner is this host) for 10 s; the same label and epoch reserve once."""

    async def boot(self, label: str, epoch: int) -> Booted | Refused:
        """Boots what was admitted; returns once it answers requests. Takes as long as the boot does."""

    async def guard(self, record: Record, caller: str = "") -> Withheld | None:
        """Keeps `record`; None: kept. Withheld: there is a newer record, or a promise for one.

        Its bundle is here, too, by then, or is fetched until it is: a record counts without it.
        """

    async def claim(self, claim: Claim) -> Promised | Withheld:
        """A guardian's word on who may place a task anew. One claimant for each epoch."""

    async def lease(self, owner: str, held: Mapping[str, Version]) -> Leased:
        """What this host, as a guardian, says about the tasks `held` by `owner`: label -> version."""

    async def records(self) -> Mapping[str, Version]:
        """The tasks that this host owns: label -> version."""

    async def retire(self, label: str, epoch: int) -> None:
        """Stops this host's copy of a task, if it is older than `epoch`."""

    async def grant(self, who: str) -> bool:
        """Whether host `who` may go home, as far as this host is concerned."""

    async def find(self, label: str) -> Record | None:
        """The newest record that this host has of a task, tombstones included."""

    async def revise(self, record: Record, caller: str = "") -> Revised | Refused:
        """Makes `record` the task's at its owner, this host: changed, stopped, moved if it has to, or removed.

        Its version must follow the one that the owner has; otherwise Refused. Refused, too, if most guardians do not
        know of it yet: the owner has done it then and goes on to tell them, but a restart may undo it.
        """


class Peers(Protocol):
    """The other hosts' doors, which are told who calls; every call may raise Silent.

    Answers within seconds, but for boot() and revise().
    """

    async def admit(self, to: Member, record: Record) -> Admitted | Full | Refused:
        """As in Door."""

    async def boot(self, to: Member, label: str, epoch: int) -> Booted | Refused:
        """As in Door; takes as long as a boot may, with the download of the bundle."""

    async def guard(self, to: Member, record: Record) -> Withheld | None:
        """As in Door."""

    async def claim(self, to: Member, claim: Claim) -> Promised | Withheld:
        """As in Door."""

    async def lease(self, to: Member, owner: str, held: Mapping[str, Version]) -> Leased:
        """As in Door."""

    async def records(self, to: Member) -> Mapping[str, Version]:
        """As in Door."""

    async def retire(self, to: Member, label: str, epoch: int) -> None:
        """As in Door."""

    async def grant(self, to: Member, who: str) -> bool:
        """As in Door."""

    async def find(self, to: Member, label: str) -> Record | None:
        """As in Door."""

    async def revise(self, to: Member, record: Record) -> Revised | Refused:
        """As in Door."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A record on this host's disk, with what this host promised as its guardian."""

    record: Record | None  # None: only promised so far
    label: str
    promised: int = 0  # the highest epoch that was promised; 0: none
    claimant: str = ""  # to whom


class Local(Protocol):
    """What the host itself does for the coordinator."""

    def capacity(self) -> Capacity:
        """All that this host has for tasks."""

    def idle_since(self) -> float | None:
        """Since when it has had nothing to do, on the scheduler's clock; None: it is busy."""

    async def boot(self, record: Record, sources: Sequence[Member]) -> None:
        """Boots a task, or changes it to `record`; returns once it answers. Raises BootFailed.

        `sources` are hosts that may have its bundle, best first. A record that is not wanted boots nothing.
        """

    async def stop(self, label: str) -> None:
        """Lets a task's requests finish and ends it; nothing if there is none."""

    async def hold_bundle(self, digest: str, sources: Sequence[Member], within_s: float | None = None) -> str | None:
        """Gets a bundle if it is not here, from one of `sources`. None: it is here now; else why not, for people.

        One that does not come within that time may still come.
        """

    async def load(self) -> Sequence[Kept]:
        """What keep() kept before this process started."""

    async def keep(self, kept: Kept) -> None:
        """On disk when it returns, in the place of what was kept of that label."""

    async def forget(self, label: str) -> None:
        """Deletes what was kept of a label."""

    async def tell(self, state: HostState, *, room: bool) -> None:
        """Publishes both as tags."""

    async def note_update(self, image: str) -> None:
        """On disk when it returns: this host goes for that image now. Raises why it cannot be kept."""

    async def forget_update(self, image: str) -> None:
        """Deletes that: it did not start again."""

    async def leave(self) -> None:
        """Says goodbye to the cluster."""

    async def power_off(self, departure: Departure) -> None:
        """Runs the command for that, or says what it would do; raises what keeps the machine on."""

    def come_back(self, stays_s: float) -> None:
        """Begins to take part as a host that has just started, but that does not go home for so long."""

    async def wake_spare(self, spare: str) -> None:
        """Starts a spare host; raises BootFailed if it cannot be started."""


class Started(Protocol):
    """Something that runs on its own."""

    def cancel(self) -> object:
        """Ends it at its next pause; no-op when it is over."""


class Scheduler(Protocol):
    """Time and concurrency. asyncio is one, the simulation another: procedures await nothing else but ports."""

    def now(self) -> float:
        """Monotonic seconds."""

    async def sleep(self, seconds: float) -> None:
        """Returns that much later."""

    def start(self, coroutine: Coroutine[Any, Any, None]) -> Started:
        """Runs it on its own; what it raises is told to the operator as a defect."""

    async def together[T](self, *awaitables: Coroutine[Any, Any, T]) -> list[T]:
        """Runs them at the same time and returns their results in order; raises the first error when all are over."""


class Chance(Protocol):
    """Where randomness comes from; random.Random is one."""

    def random(self) -> float:
        """From 0 to below 1."""

    def uniform(self, a: float, b: float) -> float:
        """From a to b."""

    def randint(self, a: int, b: int) -> int:
        """From a to b, both included."""


Notice = Callable[[str, Mapping[str, Any]], object]  # an event for people: what, and details
