"""The known field names, and the one that somebody probably meant."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence

from supervisor.spec.model import Settings, name_in_files

ALIKE = 0.6  # difflib's own measure and default: most letters agree


def known_fields(model: type[Settings], path: Sequence[str] = ()) -> Iterator[tuple[str, ...]]:
    """Every field that files may hold below `model`, as paths of names."""
    for name, field in model.model_fields.items():
        here = (*path, name_in_files(name))
        yield here
        if isinstance(field.annotation, type) and issubclass(field.annotation, Settings):
            yield from known_fields(field.annotation, here)


def siblings(model: type[Settings], parent: Sequence[str]) -> list[str]:
    """The names known beside a field whose parents are `parent`, sorted."""
    return sorted(path[-1] for path in known_fields(model) if path[:-1] == tuple(parent))


def nearest(model: type[Settings], unknown: Sequence[str]) -> str | None:
    """The known field closest to `unknown`: a name beside it first, then the same name elsewhere."""
    beside = {_plain(name): name for name in siblings(model, unknown[:-1])}
    wanted = _plain(unknown[-1])
    found = difflib.get_close_matches(wanted, beside, n=1, cutoff=ALIKE)
    if found and (found[0] == wanted or not _elsewhere(model, wanted)):
        return ".".join([*unknown[:-1], beside[found[0]]])
    return _elsewhere(model, wanted)


def _elsewhere(model: type[Settings], wanted: str) -> str | None:
    return next((".".join(path) for path in known_fields(model) if _plain(path[-1]) == wanted), None)


def _plain(name: str) -> str:
    """A name without what people vary: case, underscores, hyphens."""
    return name.lower().replace("_", "").replace("-", "")
