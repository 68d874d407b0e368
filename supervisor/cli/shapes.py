"""Parts of an answer by their shape, for hosts of any version: what is not there, or something else, is empty."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from supervisor.cli import words


def as_object(value: Any) -> Mapping[str, Any]:
    """`value` if it is an object."""
    return value if isinstance(value, dict) else {}


def as_list(value: Any) -> list[Any]:
    """`value` if it is a list."""
    return value if isinstance(value, list) else []


def as_objects(value: Any) -> list[Mapping[str, Any]]:
    """The objects of a list."""
    return [each for each in as_list(value) if isinstance(each, dict)]


def joined(value: Any, between: str = " ") -> str:
    """The items of a list in one text, fit for a terminal; '' for none."""
    return between.join(words.text(each) for each in as_list(value))


def passed(value: Any, now: float) -> str:
    """How long ago a time was (seconds since 1970)."""
    return words.age(now - value) if isinstance(value, int | float) else words.NOTHING


def parsed(line: str | bytes) -> Mapping[str, Any]:
    """The object that a line of JSON is."""
    try:
        return as_object(json.loads(line))
    except ValueError, RecursionError:
        return {}
