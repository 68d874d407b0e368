"""tools/lint: one line per checker, its findings below it."""

from __future__ import annotations

import subprocess
import sys
import time

from . import cli
from .checkers import Checker, checkers
from .layout import Layout, here
from .process import clean_environment

SHOWN = 60  # lines of findings per checker: more than anybody repairs before running it again
NEEDED = ("packages", "tree", "venv")  # the steps of bootstrap that bring the checkers


def main(arguments: list[str], usage: str) -> int:
    """Runs all checkers. Returns 0 if none found anything, else 1, or bootstrap's code."""
    unknown = [argument for argument in arguments if argument != "--fix"]
    if unknown:
        print(usage.strip(), file=sys.stderr)
        return 0 if unknown[0] in ("-h", "--help") else 2
    if code := cli.main([part for name in NEEDED for part in ("--step", name)]):
        return code
    layout = here()
    if "--fix" in arguments:
        for checker in checkers(layout):
            for command in checker.repair:
                run(layout, command)
    failed = [checker.name for checker in checkers(layout) if not passes(layout, checker)]
    print(f"lint: {', '.join(failed)} failed" if failed else "lint: clean", flush=True)
    return 1 if failed else 0


def passes(layout: Layout, checker: Checker) -> bool:
    """Runs one checker and prints its line, and below it what it found."""
    start = time.monotonic()
    done = [run(layout, command) for command in checker.look]
    findings = "\n".join(checker.findings(one.stdout.strip()) for one in done if one.returncode != 0)
    good = all(one.returncode == 0 for one in done)
    print(f"{checker.name:<14} {'ok' if good else 'FAILED'}  {time.monotonic() - start:.1f} s", flush=True)
    if not good:
        lines = findings.splitlines()
        print("\n".join(f"  {line}" for line in lines[:SHOWN]), flush=True)
        if len(lines) > SHOWN:
            print(f"  ... and {len(lines) - SHOWN} more lines", flush=True)
    return good


def run(layout: Layout, command: list[str]) -> subprocess.CompletedProcess[str]:
    """Runs one command in the checkout and collects what it says."""
    return subprocess.run(
        command,
        cwd=layout.checkout,
        env=clean_environment({"NO_COLOR": "1"}),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
        text=True,
        errors="replace",
    )
