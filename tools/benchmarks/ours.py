"""isolated itself: the only file here that knows the product."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from tools.benchmarks import program
from tools.benchmarks.cache import ROOT, Cache, Unavailable
from tools.benchmarks.children import Launch
from tools.benchmarks.results import OURS
from tools.benchmarks.subject import HOST, Idle, Starts

COMMAND = ROOT / "tools" / "isolated"
BUILD_SECONDS = 600  # the command builds first what is not up to date


@dataclass(frozen=True)
class Isolated:
    """isolated as it stands in this checkout, built."""

    version: str
    name: str = OURS
    most: int = 1000
    how_started: str = "create, boot, one request, to its HTTP response; warm pool: from boot on"

    @classmethod
    def obtain(cls, _cache: Cache) -> Isolated:
        """Raises Unavailable where it is not built."""
        if not COMMAND.exists():
            raise Unavailable("tools/isolated is not there")
        done = subprocess.run([COMMAND, "version"], capture_output=True, text=True, timeout=BUILD_SECONDS, check=False)
        if done.returncode:
            raise Unavailable(f"`tools/isolated version` failed: {done.stderr.strip()[-200:]}")
        return cls(done.stdout.split()[1])

    def serve(self, folder: Path, port: int) -> Launch:
        shutil.copy(program.FOLDER / "app.mjs", folder)
        task = {"taskId": "bench", "mainPath": "./app.mjs", "listen": [f"{HOST}:{port}"]}
        (folder / "task.json").write_text(json.dumps(task), encoding="utf-8")
        return Launch((str(COMMAND), "run", str(folder / "task.json")), folder)

    def starts(self, folder: Path, count: int) -> Starts:
        return program.run_starts(self._isolates(folder), count)

    def idle(self, folder: Path, count: int) -> AbstractContextManager[Idle]:
        return program.hold_idle(self._isolates(folder), count)

    def _isolates(self, folder: Path) -> Launch:
        shutil.copy(program.FOLDER / "app.mjs", folder)
        script = program.FOLDER / "our_isolates.py"
        return Launch((sys.executable, str(script)), folder, {"PYTHONPATH": str(ROOT)})
