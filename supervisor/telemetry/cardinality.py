"""Which tasks metrics name: so many that whoever reads them can keep them, and the rest in one sum.

A counter that goes down is taken for one that began anew, and a rate over it shows requests that never came. So a task
keeps its place as long as it lives, named or not, and what the unnamed ones did stays in the sum when they are gone.
"""

from __future__ import annotations

from collections.abc import Iterable

from supervisor.telemetry.figures import TaskFigures, counts_of, summed

MOST = 1000  # some 10 lines each: 10,000 series from a host is what a Prometheus takes from hundreds of them
OTHER = "other"  # a task of this very name is never named, so that nobody else's figures can be taken for it


class NamedTasks:
    """Remembers who is named. One for the life of a process."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._named: set[str] = set()
        self._unnamed: dict[str, TaskFigures] = {}  # as they were when last seen
        self._gone = TaskFigures(OTHER, None)

    def of(self, tasks: Iterable[TaskFigures]) -> list[TaskFigures]:
        """The named ones as they are, in their order, then the sum of all others if there ever was one."""
        present = {figures.task: figures for figures in tasks}
        self._named &= present.keys()
        self._forget_gone(present.keys())
        for task, figures in present.items():
            if task in self._named:
                continue
            if task in self._unnamed or task == OTHER or len(self._named) >= self._most:
                self._unnamed[task] = figures
            else:
                self._named.add(task)
        told = [figures for task, figures in present.items() if task in self._named]
        other = summed(OTHER, [self._gone, *self._unnamed.values()])
        return told if other == TaskFigures(OTHER, None) and not self._unnamed else [*told, other]

    def _forget_gone(self, present: Iterable[str]) -> None:
        gone = self._unnamed.keys() - set(present)
        parts = [self._unnamed.pop(task) for task in sorted(gone)]
        if parts:
            self._gone = counts_of(summed(OTHER, [self._gone, *parts]))
