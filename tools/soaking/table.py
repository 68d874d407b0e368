"""What each process of a soak held when it began and when it ended. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from tools.soaking.figures import Figures

COLUMNS = ("process", "seconds", "RSS MiB", "threads", "fds", "mappings", "isolates", "parked")


def table(samples: Sequence[Figures]) -> str:
    """A row for each process: its first figures and its last ones; the moment is told where it was at rest."""
    rows: list[Sequence[str]] = [COLUMNS]
    for number, group in groupby(sorted(samples, key=lambda each: each.handovers), key=lambda each: each.handovers):
        own = sorted(group, key=lambda each: each.seconds)
        rows.append((str(number + 1), *_between(own[0], own[-1])))
    widths = [max(len(row[column]) for row in rows) for column in range(len(COLUMNS))]
    return "\n".join("  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)) for row in rows)


def _between(first: Figures, last: Figures) -> Sequence[str]:
    return (
        f"{first.seconds:.0f}{_mark(first)} - {last.seconds:.0f}{_mark(last)}",
        f"{first.rss_mib:.0f} - {last.rss_mib:.0f}",
        f"{first.threads} - {last.threads}",
        f"{first.files} - {last.files}",
        f"{first.mappings} - {last.mappings}",
        f"{first.isolates} - {last.isolates}",
        f"{first.parked} - {last.parked}",
    )


def _mark(each: Figures) -> str:
    return "" if each.moment is None else " at rest"
