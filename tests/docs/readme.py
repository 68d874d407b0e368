"""README.md taken apart: its tables, and the files and commands of its tour."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from tests.docs.running import CHECKOUT

FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
FILE = re.compile(r"^`([\w.]+)`\n\n```\w+\n(.*?)^```$", re.MULTILINE | re.DOTALL)
CURL = re.compile(r"^\$ curl (?:-N )?http://127\.0\.0\.1:(\d+)(/\S*)$")


@dataclass(frozen=True, slots=True)
class Command:
    """A curl command and the lines that follow it."""

    port: int
    target: str
    output: str


def text(name: str = "README.md") -> str:
    return (CHECKOUT / name).read_text()


def table(title: str) -> list[list[str]]:
    """The cells of the first table whose head begins with `title`, without the head."""
    lines = iter(text().splitlines())
    for line in lines:
        if line.startswith(f"| {title} |"):
            break
    next(lines)
    rows = []
    for line in lines:
        if not line.startswith("|"):
            break
        rows.append([cell.strip() for cell in line.strip("|").split("|")])
    return rows


def files() -> dict[str, str]:
    """The files that the tour has its reader make, by name."""
    return dict(FILE.findall(text()))


def commands() -> Iterator[Command]:
    """Every curl command of the tour, in order."""
    for _, block in FENCE.findall(text()):
        command, output = None, ""
        for line in block.splitlines(keepends=True):
            if line.startswith("$"):
                if command:
                    yield Command(int(command[1]), command[2], output)
                command, output = CURL.match(line.rstrip()), ""
            else:
                output += line
        if command:
            yield Command(int(command[1]), command[2], output)
