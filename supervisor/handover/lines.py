"""What a successor writes to stderr while it boots: passed on by lines, and the last kept, to tell why it failed."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from supervisor.printable import printable

KEPT = 20  # lines: a traceback's end
LONGEST = 8192  # bytes of a line; longer ones are cut in two
SHOWN = 300  # characters of a kept line


class Lines:
    """Cuts bytes into lines with their line feed."""

    def __init__(self, tell: Callable[[bytes], object]) -> None:
        self._tell = tell
        self._rest = b""
        self._last: deque[bytes] = deque(maxlen=KEPT)

    @property
    def last(self) -> list[str]:
        """The last lines, fit for showing."""
        return [printable(line.decode(errors="replace").rstrip("\r\n"))[:SHOWN] for line in self._last]

    def feed(self, data: bytes) -> None:
        """Takes what was written."""
        *lines, rest = (self._rest + data).split(b"\n")
        for line in lines:
            self._line(line + b"\n")
        while len(rest) > LONGEST:
            self._line(rest[:LONGEST] + b"\n")
            rest = rest[LONGEST:]
        self._rest = rest

    def finish(self) -> None:
        """Tells what came after the last line feed, too."""
        if self._rest:
            self._line(self._rest + b"\n")
            self._rest = b""

    def _line(self, line: bytes) -> None:
        self._last.append(line)
        self._tell(line)
