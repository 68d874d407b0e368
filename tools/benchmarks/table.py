"""The table on the terminal: one per benchmark, medians over the rounds, best first within a case."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from tools.benchmarks.figures import ratio
from tools.benchmarks.layouts import LAYOUTS, Layout
from tools.benchmarks.results import OUR_NAMES, Outcome, Row, summarise

REFERENCE = "workerd"  # whom our promises compare us with
ABSENT_FIGURE = "-"
WORD_WIDTH = 34  # the whole text is in the file
NOISE_PERCENT = 10.0  # share of the machine used by others from which on a figure is not to be trusted


def show(outcome: Outcome, console: Console) -> None:
    """Prints the table, and below it who is absent, what failed, and whether the machine was busy otherwise."""
    console.print(as_table(outcome))
    for line in remarks(outcome):
        console.print(line, highlight=False)


def as_table(outcome: Outcome) -> Table:
    """Returns the outcome's table."""
    layout = LAYOUTS[outcome.benchmark]
    table = Table(title=layout.title, title_justify="left", box=SIMPLE_HEAD, pad_edge=False)
    compared = [f"x {REFERENCE}"] if layout.compared else []
    for title in ("case", "subject"):
        table.add_column(title, no_wrap=True)
    for title in layout.words:
        table.add_column(title, max_width=WORD_WIDTH, overflow="ellipsis", no_wrap=True)
    for title in [*(column.title for column in layout.columns), *compared, "rounds"]:
        table.add_column(title, justify="right", no_wrap=True)
    versions = {participant.name: participant.version for participant in outcome.participants}
    rows = summarise(outcome.samples)
    for row in rows:
        style = "bold" if row.subject in OUR_NAMES else None
        table.add_row(*_cells(row, rows, layout, versions), style=style)
        if row is _last_of_case(rows, row.case):
            table.add_section()
    return table


def remarks(outcome: Outcome) -> Iterable[str]:
    """Yields the lines below the table, as rich markup."""
    yield from _conclusions(outcome)
    for subject, note in outcome.notes.items():
        yield f"[dim]{subject}: {escape(note)}[/]"
    for participant in outcome.participants:
        if participant.absent is not None:
            yield f"[yellow]{participant.name} is absent:[/] {escape(participant.absent)}"
    for failure in outcome.failures:
        yield f"[red]{failure.subject} failed in {failure.case}:[/] {escape(failure.reason)}"
    noise = max((sample.metrics.get("other_cpu_percent", 0.0) for sample in outcome.samples), default=0.0)
    if noise > NOISE_PERCENT:
        yield f"[yellow]other programs used up to {noise:.0f} % of the machine: trust ratios, not figures[/]"


def _conclusions(outcome: Outcome) -> Iterable[str]:
    concludes = LAYOUTS[outcome.benchmark].concludes
    if concludes is None:
        return
    rows = summarise(outcome.samples)
    cases: dict[str, set[str]] = {}
    pairs = [(row.subject, row.case) for row in rows] + [(each.subject, each.case) for each in outcome.failures]
    for subject, case in pairs:
        cases.setdefault(subject, set()).add(case)
    for subject, asked in cases.items():
        lows = [row.low for row in rows if row.subject == subject]
        yield escape(concludes(subject, lows, len(asked)))


def _cells(row: Row, rows: Sequence[Row], layout: Layout, versions: Mapping[str, str]) -> list[str]:
    cells = [row.case, f"{row.subject} {versions.get(row.subject, '')}".strip()]
    cells += [escape(row.words.get(word, ABSENT_FIGURE)) for word in layout.words.values()]
    cells += [_figure(row.median.get(column.metric), column.digits) for column in layout.columns]
    if layout.compared:
        cells.append(_figure(ratio(row.median[layout.compared], _reference(rows, row.case, layout.compared)), 2))
    return [*cells, str(row.rounds)]


def _figure(value: float | None, digits: int) -> str:
    return ABSENT_FIGURE if value is None else f"{value:,.{digits}f}"


def _reference(rows: Sequence[Row], case: str, metric: str) -> float | None:
    return next((row.median.get(metric) for row in rows if row.case == case and row.subject == REFERENCE), None)


def _last_of_case(rows: Sequence[Row], case: str) -> Row:
    return [row for row in rows if row.case == case][-1]
