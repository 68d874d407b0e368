"""Many hosts' answers as one. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from supervisor.spec.views import TaskView

STRANDED = "stranded"  # the state of a task on no host that is seen, as a guardian tells it


@dataclass(frozen=True, slots=True)
class Gathered[T]:
    """What hosts answered, by their ids, and the ids of those that did not answer."""

    answers: Mapping[str, T]
    silent: tuple[str, ...]


def merge_tasks(answers: Mapping[str, Sequence[TaskView]]) -> list[TaskView]:
    """All tasks by label, and by host where several have the same: for a moment that is so, while a task moves.

    A guardian says that a task is on no host; it is left out if a host has it after all, or another one says the same.
    """
    told = [(host, view) for host, found in answers.items() for view in found]
    there = [view.model_copy(update={"host": host}) for host, view in told if view.state != STRANDED]
    found = {view.task for view in there}
    stranded = {view.task: view for _, view in told if view.state == STRANDED and view.task not in found}
    return sorted((*there, *stranded.values()), key=lambda view: (view.task, view.host or ""))
