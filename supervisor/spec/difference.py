"""Which settings two versions of a task differ in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from supervisor.spec.task import TaskSpec

# Maps whose keys are the user's own: named as a whole, since their values may be secrets' names.
_WHOLE = frozenset({"env"})


def changed_fields(before: TaskSpec, after: TaskSpec) -> tuple[str, ...]:
    """The fields that differ, as paths like limits.mem.heap, in the order of the model."""
    return tuple(_differences(before.document(), after.document(), ""))


def _differences(before: Mapping[str, Any], after: Mapping[str, Any], path: str) -> Iterator[str]:
    for name, old in before.items():
        new = after[name]
        if old == new:
            continue
        here = f"{path}{name}"
        if isinstance(old, Mapping) and isinstance(new, Mapping) and here not in _WHOLE:
            yield from _differences(old, new, f"{here}.")
        else:
            yield here
