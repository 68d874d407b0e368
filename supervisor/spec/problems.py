"""Words for what a model refused."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from supervisor.errors import Problem
from supervisor.printable import printable, shown
from supervisor.spec.model import Settings
from supervisor.spec.names import nearest, siblings
from supervisor.spec.refused import Refused

_SHAPES = {
    "model_type": ("an object", "write fields between { and }; leave it out for the defaults"),
    "dict_type": ("an object", "write fields between { and }; leave it out for the defaults"),
    "tuple_type": ("a list", "write it between [ and ], also if it is only one"),
}


def problems_of(error: ValidationError, model: type[Settings]) -> list[Problem]:
    """Every problem of a failed validation, in the order of the model's fields."""
    return [_problem(details, model) for details in error.errors(include_url=False)]


def refusal(refused: Refused, field: str, value: object) -> Problem:
    """The problem that a refused value of `field` is."""
    problem = Problem(refused.message, refused.remedy, allowed=refused.allowed, field=field, value=_shown(field, value))
    return safe(problem)


def safe(problem: Problem) -> Problem:
    """The same with every text on one line and free of control characters: some of it stood in the file."""
    allowed, field = (None if text is None else printable(text) for text in (problem.allowed, problem.field))
    return replace(
        problem, message=printable(problem.message), remedy=printable(problem.remedy), allowed=allowed, field=field
    )


def field_path(location: Iterable[str | int]) -> str:
    """A field as people write it: limits.mem.heap, args[2]."""
    path = ""
    for part in location:
        if part != "[key]":
            path += f"[{part}]" if isinstance(part, int) else f".{part}" if path else part
    return path


def _problem(details: ErrorDetails, model: type[Settings]) -> Problem:
    location, kind, value = details["loc"], details["type"], details["input"]
    field = field_path(location)
    cause = details.get("ctx", {}).get("error")
    if isinstance(cause, Refused):
        return refusal(cause, field, value)
    if kind == "missing":
        return Problem("the field is missing", _remedy_for_missing(field), field=field)
    if kind == "extra_forbidden":
        return safe(_unknown(field, [str(part) for part in location], value, model))
    if kind in _SHAPES:
        shape, remedy = _SHAPES[kind]
        return safe(Problem(f"not {shape}", remedy, allowed=shape, field=field or None, value=_shown(field, value)))
    return safe(Problem(details["msg"], "correct the value", field=field, value=_shown(field, value)))


def _unknown(field: str, location: Sequence[str], value: Any, model: type[Settings]) -> Problem:
    meant = nearest(model, location)
    allowed = ", ".join(siblings(model, location[:-1]))
    remedy = f"did you mean {meant}?" if meant else "take the field out"
    return Problem("unknown field", remedy, allowed=allowed, field=field, value=_shown(field, value))


def _remedy_for_missing(field: str) -> str:
    examples = {"taskId": "add for example taskId: 'shop'", "mainPath": "add for example mainPath: './app.js'"}
    return examples.get(field, "add the field")


def _shown(field: str, value: object) -> str:
    """A value for a message. The environment holds secrets, which must not come to stand in logs: only its kind."""
    if field == "env" or field.startswith("env."):
        kind = {dict: "an object", list: "a list", str: "a text", bool: "true or false", type(None): "null"}
        return f"{kind.get(type(value), 'a number')}, not shown: env may hold secrets"
    return shown(value)
