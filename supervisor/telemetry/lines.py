"""From a log event to the bytes of its line, for a terminal or for programs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from supervisor.printable import printable, printable_lines

CONTINUATION = "    | "  # begins every further line of an event: no line that a tenant prints can look like one of ours

_COLOURS = {
    "debug": "\x1b[2m",
    "info": "\x1b[32m",
    "warning": "\x1b[33m",
    "error": "\x1b[31m",
    "critical": "\x1b[1;31m",
}
_DIM, _RESET = "\x1b[2m", "\x1b[0m"


def json_line(event: Mapping[str, Any]) -> bytes:
    """One JSON object on one line, plain ASCII: whatever a tenant wrote, it is data."""
    return (json.dumps(event, ensure_ascii=True, default=str) + "\n").encode()


def console_line(event: Mapping[str, Any], *, colours: bool) -> bytes:
    """Time, level, task, text, then the other fields as key=value; further lines and stacks are indented."""
    fields = dict(event)
    time, level = fields.pop("timestamp", ""), fields.pop("level", "info")
    task, text = fields.pop("task", None), str(fields.pop("event", ""))
    stacks = [str(fields.pop(name)) for name in ("stack", "exception") if fields.get(name)]
    first, *rest = printable_lines(text)
    for stack in stacks:
        rest += printable_lines(stack.rstrip("\n"))
    head = [_painted(time, _DIM, colours), _painted(f"{level:<7}", _COLOURS.get(level, ""), colours)]
    if task is not None:
        head.append(f"[{printable(str(task))}]")
    head.append(first)
    head += [_painted(f"{name}=", _DIM, colours) + _field(value) for name, value in fields.items()]
    lines = [" ".join(part for part in head if part), *(CONTINUATION + line for line in rest)]
    return ("\n".join(lines) + "\n").encode()


def _field(value: object) -> str:
    text = printable(value if isinstance(value, str) else str(value))
    return json.dumps(text, ensure_ascii=False) if not text or " " in text or '"' in text or "=" in text else text


def _painted(text: str, colour: str, colours: bool) -> str:
    return f"{colour}{text}{_RESET}" if colours and colour else text
