"""Every promise of SPECIFICATION.md names a test, and every test that it names exists."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

from tests.docs import readme
from tests.docs.running import CHECKOUT
from tools.benchmarks.cli import COMMANDS

HEADS = ("promise", "number")
REFERENCE = re.compile(r"`([^`]+)`")
NATIVE = re.compile(r"^\s*TEST\w*\((\w+)\)", re.MULTILINE)


def rows() -> list[tuple[str, str]]:
    """Promise and what holds it, of all tables."""
    found = []
    for line in readme.text("SPECIFICATION.md").splitlines():
        cells = [cell.strip() for cell in line.strip("|").split(" | ")]
        if line.startswith("| ") and cells[0] not in HEADS:
            promise, held_by = cells
            found.append((promise, held_by))
    return found


def references() -> list[str]:
    return sorted({reference for _, held_by in rows() for reference in REFERENCE.findall(held_by)})


@cache
def names_in(path: Path) -> frozenset[str]:
    """The tests that a file defines."""
    source = path.read_text()
    if path.suffix == ".cc":
        return frozenset(NATIVE.findall(source))
    functions = [node for node in ast.parse(source).body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    return frozenset(function.name for function in functions if function.name.startswith("test_"))


def test_there_are_promises() -> None:
    assert len(rows()) > 50


@pytest.mark.parametrize(("promise", "held_by"), [pytest.param(*row, id=row[0][:50]) for row in rows()])
def test_every_promise_is_held_by_something(promise: str, held_by: str) -> None:
    assert REFERENCE.sub("", held_by).strip() == "", f"{promise}: only references belong there"
    assert REFERENCE.findall(held_by)


@pytest.mark.parametrize("reference", references())
def test_what_holds_it_exists(reference: str) -> None:
    if reference in ("tools/soak", "tools/simulate"):
        assert (CHECKOUT / reference).exists()
        return
    if reference.startswith("tools/bench "):
        assert reference.removeprefix("tools/bench ") in COMMANDS
        return
    file, _, name = reference.partition("::")
    path = CHECKOUT / file
    assert file.startswith(("tests/", "native/tests/"))
    assert path.is_file()
    if name:
        assert name in names_in(path)
