"""What the API is made of: a route says all that its handler, its checks and its document need."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from supervisor.control.api import Access, Handler
from supervisor.control.parameters import Parameter
from supervisor.spec.events import View

type Method = Literal["GET", "HEAD", "PUT", "POST", "DELETE"]

EVERYWHERE = frozenset({Access.LOCAL, Access.REMOTE, Access.PEER})


@dataclass(frozen=True, slots=True)
class Content:
    """What a body is: a view, a list of views, settings of a task, or something that is no JSON."""

    media: str = "application/json"
    view: type[View] | None = None
    shape: Literal["one", "list", "settings", "object", "text", "binary"] = "one"


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer that went well."""

    meaning: str
    contents: tuple[Content, ...] = ()


@dataclass(frozen=True, slots=True)
class Route:
    """A method of a path. `refusals` are statuses by which it may fail, besides those that every route may have."""

    method: Method
    path: str
    name: str  # unique; the operationId of the document
    summary: str
    handler: Handler
    answers: Mapping[int, Answer]
    group: str
    parameters: tuple[Parameter, ...] = ()
    body: Content | None = None
    body_required: bool = True
    refusals: tuple[int, ...] = ()
    access: frozenset[Access] = field(default=EVERYWHERE)


def view(of: type[View], meaning: str) -> Answer:
    """An answer that is one value."""
    return Answer(meaning, (Content(view=of),))


def views(of: type[View], meaning: str) -> Answer:
    """An answer that is a list of values."""
    return Answer(meaning, (Content(view=of, shape="list"),))
