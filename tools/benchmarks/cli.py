"""The command line of tools/bench."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import FrameType
from typing import Any

import click
from rich.console import Console

from tools.benchmarks import document, load, machine, table
from tools.benchmarks.cache import DEFAULT_FOLDER, Cache, Unavailable
from tools.benchmarks.containment import SHAPES
from tools.benchmarks.ours import Isolated, Served
from tools.benchmarks.peers import PEERS
from tools.benchmarks.plans import PLANS, QUICK, Size
from tools.benchmarks.results import OURS, SERVED, Outcome
from tools.benchmarks.run import Obtain, line_up, run

EXIT_FAILED = 1
NOBODY = "none"
TABLE_WIDTH = 180  # of the containment table, the widest

type Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]


def parse_peers(_context: click.Context, _option: click.Parameter, text: str) -> tuple[str, ...]:
    """Returns the peers in the order given; "none" alone is nobody. Raises click.BadParameter."""
    names = [name.strip() for name in text.split(",") if name.strip()]
    unknown = [name for name in names if name not in PEERS]
    if unknown and names != [NOBODY]:
        raise click.BadParameter(f"{unknown[0]!r} is no peer: choose from {', '.join(PEERS)}, or {NOBODY!r} alone")
    return () if names == [NOBODY] else tuple(dict.fromkeys(names))


def parse_shapes(_context: click.Context, _option: click.Parameter, text: str | None) -> tuple[str, ...] | None:
    """Returns the shapes in the order given. Raises click.BadParameter."""
    if text is None:
        return None
    names = [name.strip() for name in text.split(",") if name.strip()]
    unknown = [name for name in names if name not in SHAPES]
    if unknown or not names:
        raise click.BadParameter(f"{(unknown or [text])[0]!r} is no shape: choose from {', '.join(SHAPES)}")
    return tuple(dict.fromkeys(names))


def parse_counts(_context: click.Context, _option: click.Parameter, text: str | None) -> tuple[int, ...] | None:
    """Returns the numbers of isolates in the order given. Raises click.BadParameter."""
    if text is None:
        return None
    counts = tuple(int(part) if part.strip().isdecimal() else 0 for part in text.split(","))
    if not all(1 <= count <= 10_000 for count in counts):
        raise click.BadParameter(f"{text!r}: give numbers from 1 to 10000, separated by commas, like 1,100,1000")
    return counts


COMMON: Sequence[Decorator] = (
    click.option(
        "--rounds",
        type=click.IntRange(1, 100),
        help="Rounds; in each, every subject has one turn. [default: 3, density 1]",
    ),
    click.option(
        "--peers",
        callback=parse_peers,
        default=",".join(PEERS),
        metavar="NAMES",
        show_default=True,
        help=f"Whom to compare with; {NOBODY}: nobody.",
    ),
    click.option("--no-ours", is_flag=True, help="Measure the peers alone."),
    click.option(
        "--json",
        "json_file",
        type=click.Path(dir_okay=False, path_type=Path),
        metavar="FILE",
        help="Write every sample and the summary there as well.",
    ),
    click.option("--quick", is_flag=True, help="One round, short and small: a look, not a measurement."),
)
OWN: Mapping[str, Sequence[Decorator]] = {
    "http": (
        click.option(
            "--seconds", type=click.IntRange(1, 600), help=f"Length of one measurement. [default: {Size.seconds}]"
        ),
        click.option(
            "--connections",
            type=click.IntRange(1, 10_000),
            help=f"Connections kept open. [default: {Size.connections}]",
        ),
    ),
    "coldstart": (
        click.option("--starts", type=click.IntRange(1, 10_000), help=f"Isolates per round. [default: {Size.starts}]"),
    ),
    "density": (
        click.option(
            "--isolates",
            callback=parse_counts,
            metavar="NUMBERS",
            help=f"How many at once. [default: {','.join(map(str, Size.isolates))}]",
        ),
    ),
    "containment": (
        click.option(
            "--shapes",
            callback=parse_shapes,
            metavar="NAMES",
            help=f"Ways to run out of memory. [default: {','.join(Size.shapes)}]",
        ),
    ),
    "overshoot": (
        click.option(
            "--terminations",
            type=click.IntRange(1, 100_000),
            help=f"Requests that run into their CPU limit. [default: {Size.terminations}]",
        ),
    ),
    "wake": (
        click.option("--wakes", type=click.IntRange(1, 2000), help=f"Tasks that are woken. [default: {Size.wakes}]"),
    ),
    "fleet": (
        click.option(
            "--tasks",
            callback=parse_counts,
            metavar="NUMBERS",
            help=f"How many tasks a host has. [default: {','.join(map(str, Size.tasks))}]",
        ),
    ),
    "handover": (
        click.option(
            "--handovers",
            type=click.IntRange(1, 1000),
            help=f"Hand-overs under load. [default: {Size.handovers}]",
        ),
    ),
}
# What is asked for together; "all" is added.
COMMANDS: Mapping[str, Sequence[str]] = {
    "http": ["http"],
    "coldstart": ["coldstart"],
    "density": ["density"],
    "containment": ["containment", "overshoot"],
    "daemon": ["wake", "fleet", "handover"],
}
HELP = {
    "http": "Requests per second, latency, CPU per request and memory: hello with equal and new heads, two echoes.",
    "coldstart": "Milliseconds from making an isolate to its first answer, cold and from the warm pool.",
    "density": "Memory per idle isolate in a process that holds many.",
    "containment": "Who survives a tenant that runs out of memory, at which peak; how late a CPU limit ends a request.",
    "daemon": "isolated alone: waking a task, a host of many that sleep and its crash, hand-overs under load.",
}


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120})
def main() -> None:
    """Measures isolated beside workerd, Node, Deno and mini-racer: alternating turns in one run on one machine.

    Peers and the load generator are fetched on first use into .runtime/cache/peers, which is safe to delete. A peer
    that cannot be had is reported as absent. The exit code is 1 only if isolated itself could not be measured.

    What each figure means, and what it does not, stands in tools/benchmarks/README.md.
    """


def add_command(name: str, benchmarks: Sequence[str], description: str) -> None:
    """Adds a command that runs some benchmarks with their options."""

    def command(**options: Any) -> None:
        run_benchmarks(benchmarks, **options)

    decorators = [*COMMON, *(option for benchmark in benchmarks for option in OWN[benchmark])]
    for decorate in reversed(decorators):
        command = decorate(command)
    main.command(name, help=description)(command)


for each, members in COMMANDS.items():
    add_command(each, members, HELP[each])
add_command("all", list(PLANS), "Every benchmark, one after another.")


def run_benchmarks(
    benchmarks: Sequence[str],
    *,
    peers: Sequence[str],
    no_ours: bool,
    json_file: Path | None,
    quick: bool,
    **sizes: Any,
) -> None:
    """Runs the benchmarks, prints each table when it is done, and ends the process if something of ours failed."""
    console, progress = wide_console(), Console(stderr=True)
    size = replace(QUICK if quick else Size(), **{name: value for name, value in sizes.items() if value is not None})
    cache = Cache(DEFAULT_FOLDER)
    before = machine.describe()
    outcomes: list[Outcome] = []
    with sigterm_unwinds(), progress.status("getting ready") as status:
        lineup = line_up(wanted(peers, no_ours=no_ours), cache, status.update)
        for benchmark in benchmarks:
            try:
                plan = PLANS[benchmark](size, lambda: load.obtain(cache))
            except Unavailable as reason:
                raise click.ClickException(f"no load generator: {reason}\n  install it: apt install wrk") from reason
            outcomes.append(run(plan, lineup, status.update))
            table.show(outcomes[-1], console)
    if json_file is not None:
        document.write(json_file, document.as_document(outcomes, before))
    sys.exit(exit_code(outcomes))


def exit_code(outcomes: Sequence[Outcome]) -> int:
    """Returns 0 unless something of ours could not be measured; what happens to peers does not count."""
    return EXIT_FAILED if any(outcome.our_failures for outcome in outcomes) else 0


def wide_console() -> Console:
    """Returns standard output, at least as wide as the widest table: a long line beats figures cut short."""
    console = Console()
    return Console(width=max(console.width, TABLE_WIDTH))


def wanted(peers: Sequence[str], *, no_ours: bool) -> dict[str, Obtain]:
    """Returns who is to take part, in the order of turns: we first."""
    ours: dict[str, Obtain] = {} if no_ours else {OURS: Isolated.obtain, SERVED: Served.obtain}
    return ours | {name: PEERS[name] for name in peers}


@contextmanager
def sigterm_unwinds() -> Iterator[None]:
    """Within the block SIGTERM does what Ctrl-C does, so that every program that was started is ended."""

    def interrupt(_signal: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
