"""The command line of tools/soak."""

from __future__ import annotations

import asyncio
import secrets
import shutil
import sys
import tempfile
from pathlib import Path
from typing import NoReturn

import click

from tools.benchmarks.interrupts import sigterm_unwinds
from tools.benchmarks.our_host import our_host
from tools.benchmarks.results import MeasurementFailed
from tools.soaking.figures import Figures, parsed
from tools.soaking.soak import Plan, Soak, describe
from tools.soaking.table import table
from tools.soaking.verdict import FEWEST, growths, growths_within

EXIT_FAILED = 1
HANDOVERS = 10  # so many, if nothing else is said
HOSTILE_REST_S = 2.5  # about every tenth costs a thread: three minutes then cost ten or so
PARKED = 10  # the host hands over by itself after so many parked threads


@click.command(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120})
@click.option(
    "--minutes", type=click.FloatRange(0.1, 100_000), default=30.0, show_default=True, help="How long to go on."
)
@click.option(
    "--handover-every",
    type=click.FloatRange(0.02, 10_000),
    metavar="MINUTES",
    help=f"How often a fresh process is asked for. [default: {HANDOVERS} times]",
)
@click.option(
    "--hostile",
    type=click.IntRange(0, 50),
    default=2,
    show_default=True,
    metavar="NUMBER",
    help="Hostile tasks at the same time.",
)
@click.option(
    "--hostile-rest",
    type=click.FloatRange(0, 3600),
    default=HOSTILE_REST_S,
    show_default=True,
    metavar="SECONDS",
    help="How long the place of a hostile task stays empty after it.",
)
@click.option(
    "--parked",
    type=click.IntRange(1, 1000),
    default=PARKED,
    show_default=True,
    help="Parked threads after which the host hands over by itself.",
)
@click.option("--seed", type=click.IntRange(0, 2**64 - 1), help="Which hostile scripts come. [default: by chance]")
@click.option(
    "--keep",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Keep the host's log, state and tasks there. [default: kept in a temporary folder if something failed]",
)
@click.option(
    "--judge",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Run nothing: tell what grew by the figures that an earlier soak has said. Its failures are not counted.",
)
def main(
    *,
    minutes: float,
    handover_every: float | None,
    hostile: int,
    hostile_rest: float,
    parked: int,
    seed: int | None,
    keep: Path | None,
    judge: Path | None,
) -> None:
    """Runs a daemon for a long time: healthy tasks that are asked all the while, hostile ones that come and go.

    Tasks are applied and removed, fall asleep and are woken; the host hands over now and then, when asked and by
    itself. A line every ten seconds tells what it holds. Its memory, threads, files, mappings and isolates may not
    grow: neither from one fresh process to the next, nor within a process that lives long enough to tell.

    The exit code is 0 if no request to a healthy task failed and nothing grew, 1 if one did or something grew, 2 if
    the options make no sense.
    """
    if judge is not None:
        end_with(judged(parsed(judge.read_text(errors="replace"))))
    every = minutes / HANDOVERS if handover_every is None else handover_every
    if minutes / every < FEWEST:
        raise click.UsageError(
            f"a hand-over every {every:g} of {minutes:g} minutes: {FEWEST} at least tell whether something grows"
        )
    plan = Plan(minutes * 60, every * 60, hostile, hostile_rest, secrets.randbits(32) if seed is None else seed)
    folder = Path(tempfile.mkdtemp(prefix="soak-")) if keep is None else keep
    click.echo(f"seed {plan.seed}")
    with sigterm_unwinds():
        problems = soak(plan, folder, parked)
    if keep is None and not problems:
        shutil.rmtree(folder, ignore_errors=True)
    elif problems:
        click.echo(f"the log is {folder / 'log'}")
    end_with(problems)


def end_with(problems: list[str]) -> NoReturn:
    """Says what was wrong, and ends."""
    for problem in problems:
        click.echo(problem)
    click.echo(f"soak: {len(problems)} problems" if problems else "soak: flat")
    sys.exit(EXIT_FAILED if problems else 0)


def judged(samples: list[Figures]) -> list[str]:
    """Shows the figures of each process; returns what grew, in words."""
    click.echo(table(samples))
    try:
        return growths(samples) + growths_within(samples)
    except ValueError as error:
        return [str(error)]


def soak(plan: Plan, folder: Path, parked: int) -> list[str]:
    """Runs it; returns what was wrong, in words."""
    problems: list[str] = []
    try:
        with our_host(folder, {"handoverParked": parked}) as host:
            going = Soak(host, plan, click.echo)
            try:
                asyncio.run(going.run())
            except* MeasurementFailed as errors:
                problems += [f"the host: {error}" for error in errors.exceptions]
            click.echo(describe(going.counts))
            for name, times in sorted(going.counts.unanswered.items()):
                click.echo(f"without an end: {name}, {times} times")
            if going.counts.failures:
                problems += [f"{going.counts.failures} requests failed", *going.counts.told]
            problems += judged(going.samples)
            if (code := host.stop()) != 0:
                problems.append(f"the host ended with code {code}")
            if "Traceback" in host.log.read_text(errors="replace"):
                problems.append("there is a traceback in the log")
    except MeasurementFailed as error:
        problems.append(str(error))
    except KeyboardInterrupt:
        problems.append("interrupted")
    return problems
