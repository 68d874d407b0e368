"""A process with tenants in it, as the containment benchmark sees it: what it is told, and what it says."""

from __future__ import annotations

import json
import os
import select
import time
from dataclasses import dataclass
from typing import Protocol

from tools.benchmarks.children import Child
from tools.benchmarks.results import MeasurementFailed

READ_BYTES = 65536


@dataclass(frozen=True)
class Event:
    """What a house says (program.py lists the kinds), and when it was heard, on the monotonic clock."""

    kind: str
    at: float
    how: str = ""
    reason: str = ""


class House(Protocol):
    """A process with tenants in it. None of this waits for the process, except `next` as long as it is told to."""

    @property
    def child(self) -> Child:
        """The process."""
        ...

    def tell(self, word: str) -> None:
        """Says "go", "ask" or "fresh". A process that is over hears nothing."""
        ...

    def next(self, seconds: float) -> Event | None:
        """Returns the next event, None if there is none for so long."""
        ...


def parse_event(line: str, at: float) -> Event:
    """Reads one line of a program. Raises MeasurementFailed."""
    try:
        said = json.loads(line)
        return Event(said["event"], at, str(said.get("how", "")), str(said.get("reason", "")))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise MeasurementFailed(f"expected an event as a line of JSON, got {line.strip()!r}") from error


class Spoken:
    """Implements House by a program's pipes. Reads them itself: no buffer hides a line from select."""

    def __init__(self, child: Child) -> None:
        self.child = child
        assert child.process.stdin is not None, "the program was started without talk"
        assert child.process.stdout is not None, "the program was started without talk"
        self._input = child.process.stdin.fileno()
        self._output = child.process.stdout.fileno()
        self._lines: list[bytes] = []
        self._rest = b""

    def tell(self, word: str) -> None:
        try:
            os.write(self._input, f"{word}\n".encode())
        except BrokenPipeError:
            pass

    def next(self, seconds: float) -> Event | None:
        deadline = time.monotonic() + seconds
        while not self._lines:  # a part of a line is none yet
            if (left := deadline - time.monotonic()) <= 0:
                return None
            self._read(left)
        return parse_event(self._lines.pop(0).decode(errors="replace"), time.monotonic())

    def _read(self, seconds: float) -> None:
        if not select.select([self._output], [], [], seconds)[0]:
            return
        data = os.read(self._output, READ_BYTES)
        if not data:  # its end: the process is about to be over
            time.sleep(seconds)
        *lines, self._rest = (self._rest + data).split(b"\n")
        self._lines += [line for line in lines if line.startswith(b"{")]  # V8 writes its last words there, too
