"""The options of tools/bench: what is refused, and of which benchmark each is."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from tools.benchmarks.containment import SHAPES
from tools.benchmarks.peers import PEERS
from tools.benchmarks.plans import Size

NOBODY = "none"

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
    """Returns the numbers in the order given. Raises click.BadParameter."""
    if text is None:
        return None
    counts = tuple(int(part) if part.strip().isdecimal() else 0 for part in text.split(","))
    if not all(1 <= count <= 10_000 for count in counts):
        raise click.BadParameter(f"{text!r}: give numbers from 1 to 10000, separated by commas, like 1,100,1000")
    return counts


# For benchmarks in which peers have a part.
COMPARING: Sequence[Decorator] = (
    click.option(
        "--peers",
        callback=parse_peers,
        default=",".join(PEERS),
        metavar="NAMES",
        show_default=True,
        help=f"Whom to compare with; {NOBODY}: nobody.",
    ),
    click.option("--no-ours", is_flag=True, help="Measure the peers alone."),
)
COMMON: Sequence[Decorator] = (
    click.option(
        "--rounds",
        type=click.IntRange(1, 100),
        help="Rounds; in each, every subject has one turn. [default: 3 of http and coldstart, else 1]",
    ),
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
            help=f"How many tasks sleep on a host. [default: {','.join(map(str, Size.tasks))}]",
        ),
    ),
    "handover": (
        click.option(
            "--running",
            type=click.IntRange(1, 500),
            help=f"Tasks that are awake when a host hands over, or crashes. [default: {Size.running}]",
        ),
        click.option(
            "--handovers",
            type=click.IntRange(1, 1000),
            help=f"Hand-overs under load. [default: {Size.handovers}]",
        ),
    ),
    "crash": (
        click.option("--kills", type=click.IntRange(1, 1000), help=f"Crashes of a host. [default: {Size.kills}]"),
    ),
    "quota": (
        click.option(
            "--spin-seconds",
            type=click.IntRange(1, 600),
            help=f"How long isolates spin. [default: {Size.spin_seconds}]",
        ),
    ),
    "groups": (
        click.option(
            "--groups",
            callback=parse_counts,
            metavar="NUMBERS",
            help=f"How many groups are made and removed. [default: {','.join(map(str, Size.groups))}]",
        ),
    ),
}
