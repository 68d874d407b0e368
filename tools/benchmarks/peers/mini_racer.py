"""mini-racer: V8 bound to Python, without Web APIs and without HTTP."""

from __future__ import annotations

import sys
from contextlib import AbstractContextManager
from dataclasses import dataclass
from importlib.metadata import distributions
from pathlib import Path

from tools.benchmarks import program
from tools.benchmarks.cache import Cache, Unavailable
from tools.benchmarks.children import Launch
from tools.benchmarks.house import House
from tools.benchmarks.registries import pip_unpack
from tools.benchmarks.subject import Idle, Starts

DISTRIBUTION = "mini-racer"
ISOLATES = "mini_racer_isolates.py"


@dataclass(frozen=True)
class MiniRacer:
    """mini-racer out of PyPI's wheel, on the Python that runs this."""

    folder: Path
    version: str
    name: str = "mini-racer"
    most: int = 1000
    how_started: str = "MiniRacer() and one eval; no Web APIs"
    how_limited: str = "set_hard_memory_limit of each isolate"

    @classmethod
    def obtain(cls, cache: Cache) -> MiniRacer:
        """Raises Unavailable."""
        folder = cache.obtain(DISTRIBUTION, lambda place: pip_unpack(DISTRIBUTION, place))
        found = next(iter(distributions(path=[str(folder)])), None)
        if found is None:
            raise Unavailable(f"the folder {folder} is damaged: delete it")
        return cls(folder, found.version)

    def starts(self, folder: Path, count: int) -> Starts:
        return program.run_starts(self._launch(folder, ISOLATES), count)

    def idle(self, folder: Path, count: int) -> AbstractContextManager[Idle]:
        return program.hold_idle(self._launch(folder, ISOLATES), count)

    def house(self, folder: Path, script: Path, limit_mib: int) -> AbstractContextManager[House]:
        return program.hold_tenants(self._launch(folder, "mini_racer_tenants.py"), script, limit_mib)

    def _launch(self, folder: Path, name: str) -> Launch:
        return Launch((sys.executable, str(program.FOLDER / name)), folder, {"PYTHONPATH": str(self.folder)})
