"""The agent's output: from bytes to levelled lines that cannot forge others, and not too many of them. Pure."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

from supervisor.printable import printable

LONGEST = 2000  # characters of a line: addresses and errors are shorter, and keys and payloads are not logged
KEPT = 30  # lines: what an agent says when it cannot start
# A host whose network fails logs a few lines a second; what comes faster than this says nothing new.
PER_S = 5.0
BURST = 100.0
_LINE = re.compile(r"\s*(?:\d{4}/\d\d/\d\d \d\d:\d\d:\d\d )?\[(DEBUG|INFO|WARN|ERR)\] ?(.*)", re.DOTALL)
# Its cause is in lines that follow, and whoever asked the agent to join tells it in words.
_JOINING = "agent: error joining: "
_TAGS = re.compile(r" meta:\(.*", re.DOTALL)  # of two hosts, packed: a screen of numbers
_LEVELS = {"DEBUG": "debug", "INFO": "info", "WARN": "warning", "ERR": "error"}


@dataclass(frozen=True, slots=True)
class Line:
    """`level` is a method of the log."""

    level: str
    text: str


class Lines:
    """Cuts what an agent writes into lines."""

    def __init__(self) -> None:
        self._rest = b""
        self._last: deque[str] = deque(maxlen=KEPT)

    @property
    def last(self) -> str:
        """The last lines."""
        return "\n".join(self._last)

    def feed(self, data: bytes) -> Iterator[Line]:
        """The lines that are complete with `data`; one that gets too long is cut."""
        *complete, self._rest = (self._rest + data).split(b"\n")
        if len(self._rest) > LONGEST:
            complete, self._rest = [*complete, self._rest], b""
        for each in complete:
            text = printable(each.decode(errors="replace").rstrip())[:LONGEST]
            if text:
                self._last.append(text)
                yield _line(text)


class Rate:
    """How many lines are told: a burst, then so many a second."""

    def __init__(self, now: float) -> None:
        self._left = BURST
        self._then = now
        self._dropped = 0

    def admits(self, now: float) -> bool:
        """Whether a line may be told now; it is counted if not."""
        self._left = min(BURST, self._left + (now - self._then) * PER_S)
        self._then = now
        if self._left < 1:
            self._dropped += 1
            return False
        self._left -= 1
        return True

    def take_dropped(self) -> int:
        """How many were not told since this was asked last."""
        dropped, self._dropped = self._dropped, 0
        return dropped


def _line(text: str) -> Line:
    found = _LINE.fullmatch(text)
    if found is None:
        return Line(
            "debug", text.removeprefix("==> ").strip()
        )  # what it says about its own start; `last` has it if that fails
    said = _TAGS.sub("", found[2])
    return Line("debug" if said.startswith(_JOINING) else _LEVELS[found[1]], said)
