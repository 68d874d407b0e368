"""The lives of isolates and tasks as tables: state and event to the next state, and nothing else.

An isolate is made, boots a task, serves, drains and stops; one that V8 gave up on is parked for good.
A task on this host is wanted (PENDING), served by an isolate (RUNNING), asleep with its ports open (IDLE), waiting
after a failure (BACKOFF), refused for what its script did (BLOCKED), or not wanted any more (STOPPED).

An event that a state does not know raises IllegalTransition and changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum


class IsolateState(Enum):
    """Where one isolate is in its life."""

    CREATED = "created"
    BOOTING = "booting"
    READY = "ready"
    DRAINING = "draining"
    STOPPED = "stopped"
    PARKED = "parked"


class IsolateEvent(Enum):
    """What happens to an isolate."""

    BOOT = "boot"  # it was given a task
    BOOTED = "booted"  # its main module ran
    DRAIN = "drain"  # it was asked to finish what it has
    EXITED = "exited"  # it is over and its thread gone
    PARKED = "parked"  # V8 gave up on it; its thread stays for ever


class TaskState(Enum):
    """Where a task is on this host."""

    PENDING = "pending"
    RUNNING = "running"
    IDLE = "idle"
    BACKOFF = "backoff"
    BLOCKED = "blocked"
    STOPPED = "stopped"


class TaskEvent(Enum):
    """What happens to a task."""

    BOOTED = "booted"  # its isolate is ready
    FAILED = "failed"  # its isolate ended by the program's fault, at boot or later
    SLEPT = "slept"  # its isolate ended in good order: idle, or the program exited with code 0
    BLOCKED = "blocked"  # its script parked a thread
    RELEASED = "released"  # the block expired or was lifted
    WANTED = "wanted"  # somebody needs it: a request came, or it was started
    STOPPED = "stopped"  # it is not wanted any more


ISOLATE_TRANSITIONS: Mapping[tuple[IsolateState, IsolateEvent], IsolateState] = {
    (IsolateState.CREATED, IsolateEvent.BOOT): IsolateState.BOOTING,
    (IsolateState.CREATED, IsolateEvent.DRAIN): IsolateState.DRAINING,
    (IsolateState.CREATED, IsolateEvent.EXITED): IsolateState.STOPPED,
    (IsolateState.CREATED, IsolateEvent.PARKED): IsolateState.PARKED,
    (IsolateState.BOOTING, IsolateEvent.BOOTED): IsolateState.READY,
    (IsolateState.BOOTING, IsolateEvent.DRAIN): IsolateState.DRAINING,
    (IsolateState.BOOTING, IsolateEvent.EXITED): IsolateState.STOPPED,
    (IsolateState.BOOTING, IsolateEvent.PARKED): IsolateState.PARKED,
    (IsolateState.READY, IsolateEvent.DRAIN): IsolateState.DRAINING,
    (IsolateState.READY, IsolateEvent.EXITED): IsolateState.STOPPED,
    (IsolateState.READY, IsolateEvent.PARKED): IsolateState.PARKED,
    # Its boot may end after it was asked to drain: too late to matter.
    (IsolateState.DRAINING, IsolateEvent.BOOTED): IsolateState.DRAINING,
    (IsolateState.DRAINING, IsolateEvent.DRAIN): IsolateState.DRAINING,
    (IsolateState.DRAINING, IsolateEvent.EXITED): IsolateState.STOPPED,
    (IsolateState.DRAINING, IsolateEvent.PARKED): IsolateState.PARKED,
}

TASK_TRANSITIONS: Mapping[tuple[TaskState, TaskEvent], TaskState] = {
    (TaskState.PENDING, TaskEvent.BOOTED): TaskState.RUNNING,
    (TaskState.PENDING, TaskEvent.FAILED): TaskState.BACKOFF,
    (TaskState.PENDING, TaskEvent.SLEPT): TaskState.IDLE,
    (TaskState.PENDING, TaskEvent.BLOCKED): TaskState.BLOCKED,
    (TaskState.PENDING, TaskEvent.STOPPED): TaskState.STOPPED,
    (TaskState.RUNNING, TaskEvent.FAILED): TaskState.BACKOFF,
    (TaskState.RUNNING, TaskEvent.SLEPT): TaskState.IDLE,
    (TaskState.RUNNING, TaskEvent.BLOCKED): TaskState.BLOCKED,
    (TaskState.RUNNING, TaskEvent.STOPPED): TaskState.STOPPED,
    (TaskState.IDLE, TaskEvent.WANTED): TaskState.PENDING,
    (TaskState.IDLE, TaskEvent.STOPPED): TaskState.STOPPED,
    (TaskState.BACKOFF, TaskEvent.WANTED): TaskState.PENDING,
    (TaskState.BACKOFF, TaskEvent.STOPPED): TaskState.STOPPED,
    (TaskState.BLOCKED, TaskEvent.RELEASED): TaskState.IDLE,
    (TaskState.BLOCKED, TaskEvent.STOPPED): TaskState.STOPPED,
    (TaskState.STOPPED, TaskEvent.WANTED): TaskState.PENDING,
}


class IllegalTransition(Exception):
    """An event came in a state that does not know it: a defect of the caller."""


class Life[S: Enum, E: Enum]:
    """A state that only changes by its table."""

    __slots__ = ("_table", "state")

    def __init__(self, table: Mapping[tuple[S, E], S], state: S) -> None:
        self._table = table
        self.state = state

    def on(self, event: E) -> S:
        """Goes to the next state and returns it; raises IllegalTransition and stays where there is none."""
        following = self._table.get((self.state, event))
        if following is None:
            raise IllegalTransition(f"{event} in {self.state}")
        self.state = following
        return following


def isolate_life() -> Life[IsolateState, IsolateEvent]:
    """Returns the life of an isolate that was just made."""
    return Life(ISOLATE_TRANSITIONS, IsolateState.CREATED)


def task_life() -> Life[TaskState, TaskEvent]:
    """Returns the life of a task that is wanted."""
    return Life(TASK_TRANSITIONS, TaskState.PENDING)
