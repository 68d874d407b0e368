"""The command line of tools/fuzz."""

from __future__ import annotations

import json
import secrets
import sys
import time
from collections.abc import Iterator, Sequence
from itertools import count
from pathlib import Path
from typing import Any

import click

from tools.fuzzing import children
from tools.fuzzing.generate import generate
from tools.fuzzing.limits import BATCH
from tools.fuzzing.program import Program, Way, program_of
from tools.fuzzing.run import Run, Tally

KEEP = children.ROOT / ".runtime" / "fuzz"
PROGRESS_S = 5.0
EXIT_FINDING = 1
SCRIPTS = (".js", ".mjs", ".cjs")


@click.command(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120})
@click.option(
    "--minutes",
    type=click.FloatRange(0, 100_000, min_open=True),
    default=30.0,
    show_default=True,
    help="How long to go on.",
)
@click.option(
    "--seed",
    type=click.IntRange(0, 2**64 - 1),
    help="The same seed makes the same programs. [default: by chance]",
)
@click.option(
    "--first",
    type=click.IntRange(0),
    default=0,
    show_default=True,
    metavar="NUMBER",
    help="The number of the first program of the seed.",
)
@click.option(
    "--program",
    "files",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    multiple=True,
    metavar="FILE",
    help="Let only this loose, once: batch.json or small.json of a finding, or a script or module. May be repeated.",
)
@click.option(
    "--at-once",
    type=click.IntRange(1, 100),
    default=8,
    show_default=True,
    help="Programs that run at the same time.",
)
@click.option(
    "--keep",
    "keep_in",
    type=click.Path(file_okay=False, path_type=Path),
    default=KEEP,
    help="Where findings go. [default: .runtime/fuzz]",
)
def main(*, minutes: float, seed: int | None, first: int, files: tuple[Path, ...], at_once: int, keep_in: Path) -> None:
    """Lets programs loose on the host that nobody would write: scripts, module graphs, messages.

    They run in a child process beside a program that answers all along. A finding is: the child died or stood still, a
    thread accessed memory that is not its own, a program was not stopped in time, an answer or a record that may not
    be, a neighbour or a fresh isolate that suffered. Findings are kept with the programs that lead to them.

    The exit code is 0 if there was no finding, 1 if there was, 2 if the options make no sense.
    """
    began = time.monotonic()
    run = Run(children.command(at_once), keep_in, click.echo)
    if files:
        batches = iter([[program for file in files for program in read(file)]])
    else:
        seed = secrets.randbits(32) if seed is None else seed
        click.echo(f"seed {seed}")
        batches = _batches(seed, first)
    try:
        run.until(began + minutes * 60, batches, _Progress(began))
    except KeyboardInterrupt:
        click.echo("interrupted")
    click.echo(describe(run.tally, time.monotonic() - began))
    click.echo(f"fuzz: {len(run.tally.findings)} findings" if run.tally.findings else "fuzz: clean")
    sys.exit(EXIT_FINDING if run.tally.findings else 0)


def _batches(seed: int, first: int) -> Iterator[list[Program]]:
    for start in count(first, BATCH):
        yield [generate(seed, index) for index in range(start, start + BATCH)]


class _Progress:
    """Prints a line now and then."""

    def __init__(self, began: float) -> None:
        self._began = self._said = began

    def __call__(self, tally: Tally) -> None:
        now = time.monotonic()
        if now - self._said >= PROGRESS_S:
            self._said = now
            click.echo(describe(tally, now - self._began))


def describe(tally: Tally, seconds: float) -> str:
    """One line: what was seen so far."""
    reasons = ", ".join(f"{reason} {number}" for reason, number in tally.reasons.most_common())
    late = f", {tally.not_repeated} late once" if tally.not_repeated else ""
    return (
        f"{seconds:.0f} s: {tally.programs} programs, {tally.programs / max(seconds, 0.001):.1f}/s; {reasons}; "
        f"{tally.parked} parked, {tally.replaced} children replaced, {tally.most_rss_mib:.0f} MiB at most, "
        f"{len(tally.findings)} findings{late}"
    )


def read(file: Path) -> Sequence[Program]:
    """Returns the programs of a file. click.BadParameter if it holds none."""
    if file.suffix in SCRIPTS:
        source = file.read_bytes()
        way = Way.HANDLER if b"export default" in source or b"addEventListener('fetch'" in source else Way.BOOT
        return [Program(file.stem, way, f"main{file.suffix}", {f"main{file.suffix}": source})]
    try:
        return [program_of(document) for document in _list(json.loads(file.read_text()))]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise click.BadParameter(
            f"{file} holds no programs ({error!r}): give a finding's batch.json or small.json, "
            f"or a script or module whose name ends with {', '.join(SCRIPTS)}",
            param_hint="--program",
        ) from error


def _list(document: object) -> list[dict[str, Any]]:
    if not isinstance(document, list) or not document:
        raise TypeError("not a list of programs")
    return document
