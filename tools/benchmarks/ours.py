"""isolated itself: the only file here that knows the product."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from tools.benchmarks import program, wake
from tools.benchmarks.cache import ROOT, Cache, Unavailable
from tools.benchmarks.children import Launch, started
from tools.benchmarks.house import House
from tools.benchmarks.http_load import Usage
from tools.benchmarks.results import OURS, SERVED
from tools.benchmarks.subject import HOST, Groups, Idle, Load, Overshoots, Starts

COMMAND = ROOT / "tools" / "isolated"
BUILD_SECONDS = 600  # the command builds first what is not up to date


@dataclass(frozen=True)
class Isolated:
    """isolated as it stands in this checkout, built."""

    version: str
    name: str = OURS
    most: int = 1000
    how_started: str = "create, boot, one request, to its HTTP response; warm pool: from boot on"
    how_limited: str = "limits.mem.heap and limits.mem.external of each isolate, no limit of CPU time"

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

    def house(self, folder: Path, script: Path, limit_mib: int) -> AbstractContextManager[House]:
        return program.hold_tenants(self._program(folder, "our_tenants.py"), script, limit_mib)

    def overshoots(self, folder: Path, load: Load) -> Overshoots:
        arguments = ("budgets", load.busy, load.idle, load.terminations, load.budget_ms)
        launch = program.with_arguments(self._program(folder, "our_budgets.py"), *arguments)
        with started(launch, talk=True) as child:
            program.json_line(child)
            assert child.process.stdin is not None, "it was started with talk"
            before = Usage.now(child.pid)
            child.process.stdin.write("go\n")
            child.process.stdin.flush()
            measured = program.json_line(child)["measured_ms"]
            used = Usage.now(child.pid).since(before)
        return Overshoots([each - load.budget_ms for each in measured], used.other_percent)

    def _isolates(self, folder: Path) -> Launch:
        shutil.copy(program.FOLDER / "app.mjs", folder)
        return self._program(folder, "our_isolates.py")

    def _program(self, folder: Path, name: str) -> Launch:
        return Launch((sys.executable, str(program.FOLDER / name)), folder, {"PYTHONPATH": str(ROOT)})


@dataclass(frozen=True)
class Served:
    """The daemon: the same engine behind a control API, with a store and with tasks that sleep."""

    version: str
    name: str = SERVED
    how_started: str = "a task scaled to zero: connect to its port, request, to the first byte; from the warm pool"

    @classmethod
    def obtain(cls, cache: Cache) -> Served:
        """Raises Unavailable where it is not built."""
        return cls(Isolated.obtain(cache).version)

    def serve(self, folder: Path, port: int) -> Launch:
        (folder / "task.json").write_text(json.dumps(self.task(folder, port, idle="1h")), encoding="utf-8")
        argv = (sys.executable, str(program.FOLDER / "our_host.py"), str(folder))
        return Launch(argv, folder, {"PYTHONPATH": str(ROOT)})

    def starts(self, folder: Path, count: int) -> Starts:
        return {"asleep, by its port": wake.times(self, count, folder).asleep}

    def task(self, folder: Path, port: int, *, idle: str) -> dict[str, object]:
        shutil.copy(program.FOLDER / "app.mjs", folder)
        return {
            "taskId": f"bench-{port}",
            "pwd": str(folder),
            "mainPath": "app.mjs",
            "listen": [f"{HOST}:{port}"],
            "idle": idle,
        }

    def spinner(self, folder: Path, port: int, *, quota: float | None, core: int | None) -> dict[str, object]:
        shutil.copy(program.FOLDER / "spin.mjs", folder)
        cpu = {"request": None, "startup": None, "wall": None, "quota": quota}
        settings = {**self.task(folder, port, idle="1h"), "mainPath": "spin.mjs", "limits": {"cpu": cpu}}
        return settings if core is None else {**settings, "cpu": core}

    def groups(self, folder: Path, count: int) -> Groups:
        launch = Launch(
            (sys.executable, str(program.FOLDER / "our_groups.py")), folder, {"PYTHONPATH": str(ROOT)}
        )  # fmt: skip
        with started(program.with_arguments(launch, "groups", count), talk=True) as child:
            seen = program.json_line(child)
        return Groups(seen["placed_ms"], seen["removed_ms"], seen["left"])
