"""From the text of a task file to plain values: JSON5, JSON or TOML, told apart by the file's ending."""

from __future__ import annotations

import json
import math
import re
import tomllib
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import json5

from supervisor.errors import Place, Problem
from supervisor.printable import printable

DEPTH_MAX = 32  # a task file needs four levels; what is deeper could exhaust the stack of those who walk it
DIGITS_MAX = 40  # far above 2**53; Python itself refuses thousands of digits in its own words


class Fields(dict[str, Any]):
    """An object of a file; remembers names that stood in it more than once."""

    def __init__(self, pairs: Iterable[tuple[str, Any]]) -> None:
        super().__init__(pairs := list(pairs))
        names = [name for name, _ in pairs]
        self.twice = [name for name in dict.fromkeys(names) if names.count(name) > 1] if len(self) < len(pairs) else []


class SyntaxProblem(ValueError):
    """The text is not of its format; `problem` says where, without the file's name."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.message)
        self.problem = problem


def parse(text: str, ending: str) -> Any:
    """The values in `text`; raises SyntaxProblem. `ending` is a key of READERS."""
    if not text.strip("\ufeff \t\r\n"):
        raise _problem("the file is empty", None, "write at least taskId and mainPath")
    try:
        value = READERS[ending](text)
        _check_depth(value)
        return value
    except RecursionError:
        raise _problem("the values are nested too deep", None, "a task file needs four levels at most") from None
    except SyntaxProblem:
        raise
    except ValueError as error:  # no place known, for example a number of thousands of digits
        raise _problem(str(error), None, "correct the file") from None


def repeated(value: Any, path: str = "") -> Iterator[str]:
    """The paths of fields that stand more than once in the same object."""
    if isinstance(value, dict):
        for name in getattr(value, "twice", ()):
            yield f"{path}.{name}" if path else name
        for name, item in value.items():
            yield from repeated(item, f"{path}.{name}" if path else name)
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield from repeated(item, f"{path}[{number}]")


def _check_depth(value: Any) -> None:
    """Raises RecursionError for what is nested deeper than DEPTH_MAX; walks level by level, not by recursion."""
    level = [value]
    for _ in range(DEPTH_MAX):
        level = [item for outer in level for item in _items(outer)]
        if not level:
            return
    raise RecursionError


def _items(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        yield from value.values()
    elif isinstance(value, list):
        yield from value


def _whole(digits: str) -> float:
    return int(digits, 0) if len(digits) <= DIGITS_MAX else math.copysign(math.inf, -1 if digits[0] == "-" else 1)


def _json(text: str) -> Any:
    try:
        return json.loads(text, object_pairs_hook=Fields, parse_int=_whole)
    except json.JSONDecodeError as error:
        remedy = "correct the line"
        if error.doc.lstrip().startswith("//") or "//" in _line(text, error.lineno) or "'" in _line(text, error.lineno):
            remedy += ", or name the file .json5: JSON has neither comments, single quotes nor bare names"
        raise _problem(f"not JSON: {error.msg}", _place(text, error.lineno, error.colno), remedy) from None


def _json5(text: str) -> Any:
    # The braces around the whole may be left out. The closing one goes on a line of its own, for the last line
    # may end in a comment; the opening one shifts columns of the first line by one.
    bare = _BARE.match(text) is not None
    try:
        return json5.loads(f"{{{text}\n}}" if bare else text, object_pairs_hook=Fields, parse_int=_whole)
    except ValueError as error:
        match = _JSON5_MESSAGE.fullmatch(str(error))
        if match is None:
            raise _problem(f"not JSON5: {error}", None, "correct the file") from None
        line, column = int(match["line"]), int(match["column"])
        place = _place(text, line, column - 1 if bare and line == 1 else column)
        message = printable(match["what"][0].lower() + match["what"][1:])
        raise _problem(f"not JSON5: {message}", place, "correct the line, or the one before it") from None


def _toml(text: str) -> Any:
    try:
        return tomllib.loads(text.removeprefix("\ufeff").replace("\r\n", "\n"))
    except tomllib.TOMLDecodeError as error:
        message = error.msg[0].lower() + error.msg[1:]
        raise _problem(f"not TOML: {message}", _place(text, error.lineno, error.colno), "correct the line") from None


READERS: dict[str, Callable[[str], Any]] = {".json5": _json5, ".json": _json, ".toml": _toml}

_JSON5_MESSAGE = re.compile(r".*?:(?P<line>\d+) (?P<what>.*) at column (?P<column>\d+)", re.DOTALL)
_SPACE = r"(?:\s|\ufeff|//[^\n]*(?:\n|$)|/\*.*?\*/)*+"
_BARE = re.compile(rf"{_SPACE}(?:[\w$]++|'[^'\n]*'|\"[^\"\n]*\"){_SPACE}:", re.DOTALL)


def _line(text: str, number: int) -> str:
    lines = text.split("\n")
    return lines[number - 1] if 0 < number <= len(lines) else ""


def _place(text: str, line: int, column: int) -> Place:
    return Place(line, column, _line(text, line))


def _problem(message: str, place: Place | None, remedy: str) -> SyntaxProblem:
    return SyntaxProblem(Problem(message, remedy, place=place))
