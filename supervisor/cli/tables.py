"""Tables for people: aligned columns with rich, coloured and folded on terminals, whole lines elsewhere."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import click

PIPE_COLUMNS = 100_000  # a file or pipe has no width: nothing is folded or cut

STYLES = {
    "running": "green",
    "ready": "green",
    "idle": "cyan",
    "pending": "yellow",
    "starting": "yellow",
    "backoff": "yellow",
    "draining": "yellow",
    "handing-over": "yellow",
    "blocked": "red",
    "stopped": "dim",
    "error": "red",
    "warning": "yellow",
    "debug": "dim",
    "not": "yellow",  # held, of a limit
}


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its head, on which side its figures stand, and whether its words may be folded."""

    head: str
    right: bool = False
    whole: bool = False


def show_table(columns: Sequence[Column], rows: Iterable[Sequence[str]]) -> None:
    """Prints rows under heads. Texts have to be printable already."""
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    for column in columns:
        table.add_column(
            column.head,
            justify="right" if column.right else "left",
            overflow="fold",
            no_wrap=column.whole or column.right,
        )
    for row in rows:
        table.add_row(*(Text(cell, STYLES.get(cell.partition(" ")[0], "")) for cell in row))
    _show(table)


def show_pairs(pairs: Iterable[tuple[str, str]]) -> None:
    """Prints names and values below each other."""
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, show_header=False, padding=(0, 2, 0, 0))
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in pairs:
        table.add_row(name, Text(value, STYLES.get(value, "")))
    _show(table)


def show_line(*parts: tuple[str, str]) -> None:
    """Prints one line of texts, each with the word that says its style ('' for none); flushed at once."""
    colours = _colours()
    click.echo(
        " ".join(_styled(text, STYLES.get(style, style)) if colours and style else text for text, style in parts)
    )


def _styled(text: str, style: str) -> str:
    return click.style(text, dim=True) if style == "dim" else click.style(text, fg=style)


def _show(table: object) -> None:
    """Renders first and prints then, so that only click meets a reader who went away."""
    from rich.console import Console

    terminal = sys.stdout.isatty()
    width = None if terminal else PIPE_COLUMNS
    console = Console(
        width=width, force_terminal=terminal, no_color=not _colours(), markup=False, highlight=False, emoji=False
    )
    with console.capture() as captured:
        console.print(table)
    click.echo("\n".join(line.rstrip() for line in captured.get().splitlines()))


def _colours() -> bool:
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
