"""Many hosts' answers as one. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


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
    """All tasks by label, and by host where several have the same: for a moment that is so, while a task moves."""
    lines = [TaskLine(str(view["task"]), host, view) for host, views in answers.items() for view in views]
    return sorted(lines, key=lambda line: (line.label, line.host))
