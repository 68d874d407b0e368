"""Progress on standard error, one line per step, with the seconds since the start."""

from __future__ import annotations

import sys
import time


class Progress:
    """Writes lines as they happen; silent until the first one, so that a run with nothing to do says nothing."""

    def __init__(self) -> None:
        self._start = time.monotonic()

    def say(self, text: str) -> None:
        print(f"[{time.monotonic() - self._start:6.1f} s] {text}", file=sys.stderr, flush=True)
