"""The data files: JavaScript expressions in sections, one on each line."""

from __future__ import annotations

from functools import cache
from pathlib import Path

FOLDER = Path(__file__).parent


@cache
def table(name: str) -> dict[str, tuple[str, ...]]:
    """Returns the sections of `name`.txt. ValueError for an expression before the first section."""
    sections: dict[str, list[str]] = {}
    current: list[str] | None = None
    for line in (FOLDER / f"{name}.txt").read_text().splitlines():
        if line.startswith("# "):
            continue
        if line.startswith("[") and line.endswith("]") and _is_name(line[1:-1]):
            current = sections.setdefault(line[1:-1], [])
        elif current is None:
            raise ValueError(f"{name}.txt: {line!r} is in no section")
        else:
            current.append(line)
    return {section: tuple(lines) for section, lines in sections.items()}


def _is_name(text: str) -> bool:
    """Whether a line in brackets is a heading: an array of expressions has more than a name in it."""
    return text.replace(".", "").removeprefix("%").isidentifier()
