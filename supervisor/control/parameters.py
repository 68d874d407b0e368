"""What stands in paths, queries and header fields: parsed by the same declarations that the document is made of."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from multidict import MultiMapping

from supervisor.control.errors import WrongRequest
from supervisor.errors import Problem
from supervisor.printable import shown
from supervisor.spec.host_id import HOST_ID
from supervisor.spec.problems import safe
from supervisor.spec.texts import TASK_ID
from supervisor.spec.units import EXACT

TAIL_MAX = 100_000  # lines; above what any log keeps, so that "all" can be asked for


@dataclass(frozen=True, slots=True)
class Kind:
    """A way to spell a value. `parse` raises ValueError."""

    schema: Mapping[str, Any]
    parse: Callable[[str], Any]
    allowed: str
    example: str


@dataclass(frozen=True, slots=True)
class Parameter:
    """A value of a request's path, query or header; `default` stands for one that is left out."""

    name: str
    where: Literal["path", "query", "header"]
    kind: Kind
    meaning: str
    default: Any = None

    def parse(self, texts: Sequence[str]) -> Any:
        """The value; raises WrongRequest for one that is no such value, or stands more than once."""
        if not texts:
            return self.default
        if len(texts) > 1:
            raise _wrong(self, ", ".join(texts), "the parameter stands more than once", "leave one of them")
        try:
            return self.kind.parse(texts[0])
        except ValueError:
            raise _wrong(self, texts[0], "not a value of this parameter", f"write {self.kind.example}") from None


def parse_query(parameters: Sequence[Parameter], query: MultiMapping[str]) -> dict[str, Any]:
    """All values of a query by their names; one that is not known is refused, for it may be a misspelled dryRun."""
    known = [parameter for parameter in parameters if parameter.where == "query"]
    names = [parameter.name for parameter in known]
    for name in query:
        if name not in names:
            allowed = ", ".join(names) or "none"
            problem = Problem("unknown parameter", "take it out", allowed=allowed, field=name, value=shown(query[name]))
            raise WrongRequest("the query has an unknown parameter", problems=[safe(problem)])
    return {parameter.name: parameter.parse(query.getall(parameter.name, [])) for parameter in known}


def _wrong(parameter: Parameter, value: str, message: str, remedy: str) -> WrongRequest:
    problem = Problem(message, remedy, allowed=parameter.kind.allowed, field=parameter.name, value=shown(value))
    return WrongRequest(f"the {parameter.where} is wrong: {parameter.name}", problems=[safe(problem)])


def _matching(pattern: str, allowed: str, example: str) -> Kind:
    expression = re.compile(pattern, re.ASCII)

    def parse(text: str) -> str:
        if expression.fullmatch(text) is None:
            raise ValueError
        return text

    return Kind({"type": "string", "pattern": f"^{pattern}$"}, parse, allowed, example)


def _whole(low: int, high: int, example: str) -> Kind:
    def parse(text: str) -> int:
        if not (text.isascii() and text.isdigit() and len(text) <= len(str(high))):
            raise ValueError
        if not low <= int(text) <= high:
            raise ValueError
        return int(text)

    return Kind({"type": "integer", "minimum": low, "maximum": high}, parse, f"{low} to {high}", example)


_BOOLEANS = {"true": True, "1": True, "false": False, "0": False}


def _boolean(text: str) -> bool:
    try:
        return _BOOLEANS[text]
    except KeyError:
        raise ValueError from None


TASK_IDS = "1 to 128 letters, digits and . _ -, first a letter or digit"
LABEL = _matching(TASK_ID, TASK_IDS, "a task's id, for example shop")
DIGEST = _matching("[0-9a-f]{64}", "64 hexadecimal digits, lower case", "the SHA-256 of the bundle's tar")
WHICH = _matching(TASK_ID, f"a task's id ({TASK_IDS}), or at least 8 digits of a hash", "a task's id, or a hash")
BOOLEAN = Kind({"type": "boolean"}, _boolean, "true, false", "true or false")
HOST = _matching(HOST_ID, "1 to 64 of a-z 0-9 -", "a host's id, for example rack1-host7")
TAIL = _whole(0, TAIL_MAX, "a number of lines")
NUMBER = _whole(0, EXACT, "the number of an event")
