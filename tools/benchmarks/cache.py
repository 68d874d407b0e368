"""Where peers and the load generator are kept: .runtime/cache/peers, filled on demand, safe to delete."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
DEFAULT_FOLDER = ROOT / ".runtime" / "cache" / "peers"


class Unavailable(Exception):
    """A program cannot be had on this machine. The message says why, on one line."""


@dataclass(frozen=True)
class Cache:
    """A folder with one folder per program, each complete or not there at all."""

    folder: Path = DEFAULT_FOLDER

    def obtain(self, name: str, fill: Callable[[Path], None]) -> Path:
        """Returns the program's folder; if it is not there yet, `fill` puts the files into an empty one first.

        What `fill` raises goes through, and nothing is kept.
        """
        place = self.folder / name
        if place.is_dir():
            return place
        self.folder.mkdir(parents=True, exist_ok=True)
        unfinished = Path(tempfile.mkdtemp(prefix=f".{name}-", dir=self.folder))
        try:
            fill(unfinished)
            unfinished.rename(place)
        finally:
            shutil.rmtree(unfinished, ignore_errors=True)
        return place
