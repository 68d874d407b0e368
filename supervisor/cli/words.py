"""Figures as people read them; pure."""

from __future__ import annotations

import math
from datetime import UTC, datetime, tzinfo
from typing import Any

from supervisor.printable import printable, printable_lines
from supervisor.spec.units import SIZE, TIME

NOTHING = "-"  # a column that has nothing to say: visible, and one word for those who split lines
MINUTE, HOUR, DAY = 60, 3600, 86400


def text(value: Any) -> str:
    """`value` on one line, fit for a terminal."""
    if value is None or value == "":
        return NOTHING
    if isinstance(value, bool):
        return "yes" if value else "no"
    return printable(str(value))


def lines(value: Any) -> str:
    """A text of several lines, each fit for a terminal."""
    return "\n".join(printable_lines(str(value)))


def size(value: Any) -> str:
    """Bytes: 1.5 MiB."""
    return SIZE.tell(value) if _is_number(value) else NOTHING


def seconds(value: Any) -> str:
    """A time that was measured: 12 ms, 1.5 s, 2 h."""
    return TIME.tell(round(value * 1000, 3)) if _is_number(value) else NOTHING


def age(value: Any) -> str:
    """A while, coarse: 5s, 3m, 7h, 12d."""
    if not _is_number(value):
        return NOTHING
    whole = max(0, int(value))
    for unit, name in ((DAY, "d"), (HOUR, "h"), (MINUTE, "m")):
        if whole >= 2 * unit:
            return f"{whole // unit}{name}"
    return f"{whole}s"


def count(value: Any) -> str:
    """A number that is counted or measured: 12, 0.7, 1500."""
    if isinstance(value, int) and _is_number(value):
        return str(value)
    return f"{value:.10g}" if _is_number(value) else NOTHING


def moment(value: Any, zone: tzinfo | None = None) -> str:
    """Seconds since 1970 as a date and time of `zone` (None: the machine's)."""
    found = _datetime(value, zone)
    return NOTHING if found is None else found.strftime("%Y-%m-%d %H:%M:%S")


def clock(value: Any, zone: tzinfo | None = None) -> str:
    """Seconds since 1970 as a time of day with milliseconds, for lines that follow each other."""
    found = _datetime(value, zone)
    return NOTHING if found is None else found.strftime("%m-%d %H:%M:%S.") + f"{found.microsecond // 1000:03}"


def _datetime(value: Any, zone: tzinfo | None) -> datetime | None:
    if not _is_number(value):
        return None
    try:
        return datetime.fromtimestamp(value, UTC).astimezone(zone)
    except OverflowError, OSError, ValueError:
        return None


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
