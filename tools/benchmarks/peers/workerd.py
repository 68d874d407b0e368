"""workerd: one configuration with one isolate to serve, with many to idle, with its loader binding to start some."""

from __future__ import annotations

import http.client
import shutil
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tools.benchmarks import probe, program
from tools.benchmarks.cache import Cache, Unavailable
from tools.benchmarks.children import Launch, free_port, started
from tools.benchmarks.figures import median
from tools.benchmarks.house import House
from tools.benchmarks.peers import workerd_config as config
from tools.benchmarks.peers import workerd_tenants as tenants
from tools.benchmarks.peers.nodejs import NodeJs
from tools.benchmarks.registries import npm_unpack, program_version
from tools.benchmarks.results import MeasurementFailed
from tools.benchmarks.subject import HOST, Idle, Starts

PRIMING_STARTS = 3  # unmeasured, as in every program of program.py
PLAIN_REQUESTS = 200  # unmeasured: they warm the way there, and their median is what the way itself takes


@dataclass(frozen=True)
class Workerd:
    """workerd out of npm's package."""

    binary: Path
    version: str
    name: str = "workerd"
    most: int = 1000
    how_started: str = "its experimental loader binding, less an HTTP round trip; earlier isolates stay alive"
    how_limited: str = "v8Flags --max-old-space-size for all isolates of the process: it has no limit of its own"

    @classmethod
    def obtain(cls, cache: Cache) -> Workerd:
        """Raises Unavailable."""
        folder = cache.obtain("workerd", lambda place: npm_unpack("workerd", place, _npm(cache)))
        binary = next((folder / "node_modules" / "@cloudflare").glob("workerd-*/bin/workerd"), None)
        if binary is None:
            raise Unavailable("npm has no workerd for this processor")
        return cls(binary, program_version(binary))

    def serve(self, folder: Path, port: int) -> Launch:
        return self._launch(folder, "app.mjs", config.single(port, "app.mjs"))

    def starts(self, folder: Path, count: int) -> Starts:
        """Times requests to a program that answers each out of a new isolate, less the way there and back.

        Unlike with the others the isolates before stay alive: workerd decides itself when it lets go of one.
        """
        port = free_port()
        with started(self._launch(folder, "workerd_loader.mjs", config.loader(port, "workerd_loader.mjs"))) as child:
            probe.wait_until_ready(child, port)
            connection = http.client.HTTPConnection(HOST, port, timeout=probe.ANSWER_SECONDS)
            way = median([_answer_ms(connection, "/plain") for _ in range(PLAIN_REQUESTS)])
            for _ in range(PRIMING_STARTS):
                _answer_ms(connection, "/")
            times = [_answer_ms(connection, "/") for _ in range(count)]
            connection.close()
        return {"cold": [max(0.0, ms - way) for ms in times]}

    @contextmanager
    def idle(self, folder: Path, count: int) -> Iterator[Idle]:
        shutil.copy(program.FOLDER / "app.mjs", folder)
        port = free_port()
        launch = self._launch(folder, "workerd_router.mjs", config.many(port, "workerd_router.mjs", "app.mjs", count))
        begin = time.monotonic()
        with started(launch) as child:
            probe.wait_until_ready(child, port)
            connection = http.client.HTTPConnection(HOST, port, timeout=probe.ANSWER_SECONDS)
            for number in range(count):
                _answer_ms(connection, f"/{number}")
            connection.close()
            yield Idle(child.pid, time.monotonic() - begin)

    @contextmanager
    def house(self, folder: Path, script: Path, limit_mib: int) -> Iterator[House]:
        with tenants.house(self.binary, folder, script, limit_mib) as house:
            yield house

    def _launch(self, folder: Path, module: str, text: str) -> Launch:
        shutil.copy(program.FOLDER / module, folder)
        (folder / "config.capnp").write_text(text, encoding="utf-8")
        return Launch((str(self.binary), "serve", "config.capnp", "--experimental"), folder)


def _npm(cache: Cache) -> Sequence[str]:
    """Returns the machine's npm, set up as its owner did, else the one that comes with the peer Node."""
    path = shutil.which("npm")
    return (path,) if path else NodeJs.obtain(cache).npm


def _answer_ms(connection: http.client.HTTPConnection, path: str) -> float:
    begin = time.perf_counter()
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        body = response.read()
    except (OSError, http.client.HTTPException) as error:
        raise MeasurementFailed(f"{path}: {error}") from error
    elapsed = (time.perf_counter() - begin) * 1e3
    if (response.status, body) != (200, probe.HELLO):
        raise MeasurementFailed(f"{path}: status {response.status}, body {body[:80]!r}")
    return elapsed
