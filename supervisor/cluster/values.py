"""What hosts tell each other, as values: members, tasks' records, and the answers to what a host is asked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, NamedTuple


class MemberState(StrEnum):
    """What the membership engine says about a host."""

    ALIVE = "alive"
    FAILED = "failed"  # it does not answer, and did not say goodbye
    LEFT = "left"  # it said goodbye


class HostState(StrEnum):
    """What a host says about itself (a tag)."""

    STARTING = "starting"  # it asks the guardians whether its tasks are still its own; takes no new work
    UP = "up"
    DRAINING = "draining"  # takes no new work and guards nothing new; its tasks move


class Departure(StrEnum):
    """Why a host goes."""

    IDLE = "idle"  # nobody needs it: it stays off until it is woken
    UPDATE = "update"  # its image is old: it comes back with the new one


class Cause(StrEnum):
    """Why a host, or the cluster, does not do what it is asked."""

    HOST = "host"  # it cannot now; another host, or the same one later, may
    ROOM = "room"  # no host takes it
    PROGRAM = "program"  # the task's program does not come up, and would not on any host


class Mode(StrEnum):
    """What a task asks for when hosts cannot see each other."""

    BEST_EFFORT = "bestEffort"  # rather two copies for a while than none
    STRICT = "strict"  # rather none for a while than two


@dataclass(frozen=True, slots=True)
class Member:
    """A host as its peers see it."""

    id: str  # 1-64 of [a-z0-9-]; the membership engine's name of it
    boot_time: float  # seconds since 1970, when the machine booted, by its own clock
    api: str  # 'host:port' of its peer door
    alive: MemberState
    state: HostState
    room: bool  # whether it has room for new work; with hysteresis at the source
    image: str  # image id; '' = unknown
    since: float  # when `alive` last changed, in the observer's monotonic seconds


class Version(NamedTuple):
    """The age of a record: the greater one is the newer one."""

    epoch: int  # rises with every placement on a host, from 1
    revision: int  # rises with every change within an epoch, from 1


@dataclass(frozen=True, slots=True)
class Needs:
    """What the admission of a task reserves, and where it may run."""

    memory: int  # bytes
    isolates: int = 1
    cores: tuple[int, ...] | None = None  # cores that are its own; None: it is pinned to none
    hosts: tuple[str, ...] | None = None  # ids of the hosts it may run on; None: any


@dataclass(frozen=True, slots=True)
class Capacity:
    """What a host has for tasks, or has left of it. None: not limited."""

    memory: int | None  # bytes
    isolates: int | None
    cores: frozenset[int]  # that a task may be pinned to, or that nobody is pinned to yet


@dataclass(frozen=True, slots=True)
class Record:
    """A task as its owner and its guardians keep it. A removed task leaves its record behind, as a tombstone."""

    label: str  # the task's id as a text
    epoch: int
    revision: int
    owner: str  # id of the host that runs it; '' = of none yet, or of none any more, since its boot failed
    settings: Mapping[str, Any] = field(hash=False)  # as applied; {} in a tombstone
    bundle: str | None  # digest of its sources; None: they are on the host already
    wanted: bool  # False: stopped by a user
    needs: Needs
    mode: Mode
    guardians: tuple[str, ...] = ()  # ids, first choice first
    # Ids of the guardians before, until most of both know of the change; what needs a majority needs both till then.
    previous: tuple[str, ...] = ()
    removed: bool = False
    void: bool = False  # a new task that came up nowhere: there is none, and nobody tries it again

    @property
    def exists(self) -> bool:
        """Whether there is such a task."""
        return not (self.removed or self.void)

    @property
    def version(self) -> Version:
        """Orders the records of one label."""
        return Version(self.epoch, self.revision)


@dataclass(frozen=True, slots=True)
class Claim:
    """A host asks a guardian for an epoch of a task: to place it anew. `basis`: the record that the claimant knows."""

    label: str
    epoch: int
    claimant: str  # id of the host that asks
    basis: Version | None  # None: it knows of no record, the task is new


@dataclass(frozen=True, slots=True)
class Promised:
    """The guardian gives this epoch, and all before it, to nobody else."""


@dataclass(frozen=True, slots=True)
class Withheld:
    """The guardian does not: it knows a newer record, promised the epoch to somebody else, or a lease still runs."""

    newer: Record | None = None
    epoch: int = 0  # the highest epoch that it knows of; 0: it does not know the task


@dataclass(frozen=True, slots=True)
class Leased:
    """What a guardian says about tasks that a host holds. What is in neither it does not know: it lost its memory."""

    renewed: frozenset[str]  # labels: nobody has a newer epoch, and nobody will be given one for the length of a lease
    superseded: Mapping[str, int] = field(hash=False)  # label -> the newer epoch


@dataclass(frozen=True, slots=True)
class Admitted:
    """The room is reserved for 10 s; boot() has to follow."""


@dataclass(frozen=True, slots=True)
class Full:
    """There is no room for it; `free` is what is left."""

    free: Capacity


@dataclass(frozen=True, slots=True)
class Refused:
    """The host does not do it, for a reason other than room."""

    problem: str  # in words, for people
    cause: Cause = Cause.HOST


@dataclass(frozen=True, slots=True)
class Booted:
    """The task answers on that host."""


@dataclass(frozen=True, slots=True)
class Revised:
    """The owner took the change, and most guardians know of it."""

    record: Record
