"""Which checker looks at which files: data only."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from . import javascript
from .layout import Layout
from .native import program

SKIPPED = {".git", ".runtime", "node_modules", "__pycache__", "build", "dist"}
BUILT = re.compile(r"runtime(\.new)?\.js|_native\b.*")
CPP = (".c", ".cc", ".h")
JS = (".js", ".mjs", ".ts")


def as_it_is(output: str) -> str:
    return output


def names_only(output: str) -> str:
    """clang-format tells every blank that is wrong; which files to format is all that matters."""
    names = dict.fromkeys(re.findall(r"^(.+?):\d+:\d+: ", output, re.MULTILINE))
    return "\n".join(f"{name}: not formatted" for name in names) or output


@dataclass(frozen=True)
class Checker:
    """A checker: its name, the commands that look, those that repair before, and how to read what it says."""

    name: str
    look: Sequence[list[str]]
    repair: Sequence[list[str]] = ()
    findings: Callable[[str], str] = as_it_is


def checkers(layout: Layout) -> list[Checker]:
    """All checkers with the files they look at."""
    files = own_files(layout.checkout)
    ruff, mypy = str(program(layout, "ruff")), [str(program(layout, "mypy")), "--no-error-summary"]
    clang_format = str(program(layout, "clang-format"))
    imports = [str(program(layout, "lint-imports")), "--no-logo", "--cache-dir", ".runtime/cache/import-linter"]
    shellcheck = [str(program(layout, "shellcheck")), "--enable=quote-safe-variables,check-unassigned-uppercase"]
    esbuild = [*javascript.esbuild(layout), f"--outdir={layout.cache / 'syntax'}"]
    older = [*mypy, "--python-version=3.11", "-p", "tools.runtime_tree", "-m", "tools.binary.cli"]
    cpp = [path for path in files if path.suffix in CPP]
    return [
        Checker(
            "ruff",
            [[ruff, "check", "--quiet", "--output-format=concise"]],
            repair=[[ruff, "check", "--quiet", "--fix"]],
        ),
        Checker("ruff format", [[ruff, "format", "--quiet", "--diff"]], repair=[[ruff, "format", "--quiet"]]),
        # The part that Debian 12's Python runs is checked as such besides.
        Checker("mypy", [mypy, older]),
        Checker("import-linter", [imports]),
        Checker(
            "clang-format",
            with_files([clang_format, "--dry-run", "--Werror"], cpp),
            repair=with_files([clang_format, "-i"], cpp),
            findings=names_only,
        ),
        Checker("shellcheck", with_files(shellcheck, [path for path in files if is_shell(path)])),
        Checker("esbuild", with_files(esbuild, [path for path in files if path.suffix in JS])),
    ]


def with_files(command: list[str], files: list[Path]) -> list[list[str]]:
    """One command for all files; none where there are none."""
    return [[*command, *map(str, files)]] if files else []


def own_files(folder: Path) -> list[Path]:
    """All files below a folder but those that are built or fetched."""
    found: list[Path] = []
    for path in sorted(folder.iterdir()):
        if path.name in SKIPPED or BUILT.fullmatch(path.name) or path.is_symlink():
            continue
        found += own_files(path) if path.is_dir() else [path]
    return found


def is_shell(path: Path) -> bool:
    """Tells a shell script by its ending, or by its first line."""
    with path.open("rb") as file:
        first = file.readline(80)
    return path.suffix == ".sh" or re.match(rb"#!.*\b(ba|da)?sh\b", first) is not None
