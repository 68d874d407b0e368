"""Many hosts' answers as one. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

STRANDED = "stranded"  # the state of a task on no host that is seen, as a guardian tells it


@dataclass(frozen=True, slots=True)
class Gathered[T]:
    """What hosts answered, by their ids, and the ids of those that did not answer."""

    answers: Mapping[str, T]
    silent: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TaskLine:
    """A task and the host that has it, as that host tells it."""

    label: str
    host: str
    view: Mapping[str, Any] = field(hash=False)  # a TaskView as JSON; of a newer host with more fields


def merge_tasks(answers: Mapping[str, Sequence[Mapping[str, Any]]]) -> list[TaskLine]:
    """All tasks by label, and by host where several have the same: for a moment that is so, while a task moves.

    A guardian says that a task is on no host; it is left out if a host has it after all, or another one says the same.
    """
    lines = [TaskLine(str(view["task"]), host, view) for host, views in answers.items() for view in views]
    found = {line.label for line in lines if not _is_stranded(line)}
    stranded = {line.label: line for line in lines if _is_stranded(line) and line.label not in found}
    there = [line for line in lines if not _is_stranded(line)]
    return sorted((*there, *stranded.values()), key=lambda line: (line.label, line.host))


def _is_stranded(line: TaskLine) -> bool:
    return line.view.get("state") == STRANDED
