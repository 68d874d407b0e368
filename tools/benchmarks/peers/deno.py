"""Deno: `deno serve` to serve, Web Workers as isolates."""

from __future__ import annotations

import shutil
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from tools.benchmarks import program
from tools.benchmarks.cache import Cache
from tools.benchmarks.children import Launch
from tools.benchmarks.house import House
from tools.benchmarks.registries import pip_unpack, program_version
from tools.benchmarks.subject import HOST, Idle, Starts


@dataclass(frozen=True)
class Deno:
    """Deno out of PyPI's wheel."""

    binary: Path
    version: str
    name: str = "deno"
    most: int = 100  # 7 MiB and a thread each
    how_started: str = "new Worker, to its answer to one message"
    how_limited: str = "--v8-flags=--max-old-space-size for all isolates of the process: a Web Worker has no option"

    @classmethod
    def obtain(cls, cache: Cache) -> Deno:
        """Raises Unavailable."""
        binary = cache.obtain("deno", lambda place: pip_unpack("deno", place)) / "bin" / "deno"
        return cls(binary, program_version(binary))

    def serve(self, folder: Path, port: int) -> Launch:
        shutil.copy(program.FOLDER / "app.mjs", folder)
        return self._launch(folder, "serve", "--quiet", "--host", HOST, "--port", str(port), "app.mjs")

    def starts(self, folder: Path, count: int) -> Starts:
        return program.run_starts(self._isolates(folder), count)

    def idle(self, folder: Path, count: int) -> AbstractContextManager[Idle]:
        return program.hold_idle(self._isolates(folder), count)

    def house(self, folder: Path, script: Path, limit_mib: int) -> AbstractContextManager[House]:
        flags = ("--quiet", "--no-prompt", "--allow-read", f"--v8-flags=--max-old-space-size={limit_mib}")
        launch = self._launch(folder, "run", *flags, str(program.FOLDER / "deno_tenants.mjs"))
        return program.hold_tenants(launch, script, limit_mib)

    def _isolates(self, folder: Path) -> Launch:
        script = str(program.FOLDER / "deno_isolates.mjs")
        return self._launch(folder, "run", "--quiet", "--no-prompt", f"--allow-read={program.FOLDER}", script)

    def _launch(self, folder: Path, *arguments: str) -> Launch:
        # Its own cache folder, so that nothing is written into the user's home; no check for a newer release.
        environment = {"DENO_DIR": str(folder / "deno"), "DENO_NO_UPDATE_CHECK": "1", "NO_COLOR": "1"}
        return Launch((str(self.binary), *arguments), folder, environment)
