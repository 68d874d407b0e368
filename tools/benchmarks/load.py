"""wrk: the load generator. One thread of it keeps all connections busy and shares the machine with the server."""

from __future__ import annotations

import json
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tools.benchmarks.cache import Cache, Unavailable
from tools.benchmarks.registries import debian_unpack
from tools.benchmarks.results import MeasurementFailed

REPORT = "BENCH "  # how our line begins in wrk's output
ANSWER_SECONDS = 10  # wrk's own limit for one answer; one that comes later counts as an error

# wrk calls done() at its end: latencies are in microseconds, the duration too.
SCRIPT = """
wrk.method = "%(method)s"
wrk.body = %(body)s
%(request)s
done = function(summary, latency)
  local e = summary.errors
  io.write(string.format(
    '\\nBENCH {"requests":%%d,"duration_us":%%d,"p50_us":%%d,"p99_us":%%d,"max_us":%%d,"errors":%%d}\\n',
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99), latency.max,
    e.connect + e.read + e.write + e.status + e.timeout))
end
"""


# No two heads are the same, as with request ids, cookies or paths of many clients.
NEW_HEADS = """
local sent = 0
request = function()
  sent = sent + 1
  return wrk.format(nil, nil, {["X-Request-Id"] = tostring(sent)})
end
"""


@dataclass(frozen=True)
class Workload:
    """A kind of request: `body_bytes` None is a GET, else a POST of so many bytes; `new_heads`: each head is new."""

    name: str
    path: str
    body_bytes: int | None
    new_heads: bool = False

    def script(self) -> str:
        """Returns wrk's Lua script."""
        return SCRIPT % {
            "method": "GET" if self.body_bytes is None else "POST",
            "body": "nil" if self.body_bytes is None else f'string.rep("x", {self.body_bytes})',
            "request": NEW_HEADS if self.new_heads else "",
        }


# isolated finds heads again that it parsed before, so that equal ones flatter it: the second workload has none.
WORKLOADS = (
    Workload("hello", "/", None),
    Workload("hello, new heads", "/", None, new_heads=True),
    Workload("echo 1 KiB", "/echo", 1024),
    Workload("echo 64 KiB", "/echo", 64 * 1024),
)


@dataclass(frozen=True)
class LoadReport:
    """What wrk saw. Latencies in milliseconds, over every answer, as wrk measures them: from send to whole answer."""

    requests: int
    seconds: float
    p50_ms: float
    p99_ms: float
    max_ms: float
    errors: int


@dataclass(frozen=True)
class Wrk:
    """wrk as it is found on this machine."""

    program: Path
    libraries: Path | None

    @property
    def environment(self) -> dict[str, str] | None:
        """What it needs of one; None: that of this process."""
        return {"LD_LIBRARY_PATH": str(self.libraries)} if self.libraries else None

    def run(self, workload: Workload, url: str, *, connections: int, seconds: int, folder: Path) -> LoadReport:
        """Puts load on `url` and returns the report. Raises MeasurementFailed."""
        script = folder / "load.lua"
        script.write_text(workload.script(), encoding="utf-8")
        options = ["-t1", f"-c{connections}", f"-d{seconds}s", f"--timeout={ANSWER_SECONDS}s", "-s", str(script)]
        try:
            done = subprocess.run(
                [self.program, *options, url + workload.path],
                env=self.environment,
                capture_output=True,
                text=True,
                timeout=seconds + 3 * ANSWER_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise MeasurementFailed(f"wrk did not end within {error.timeout:.0f} s") from error
        return parse_report(done.stdout, done.stderr)


def parse_report(output: str, errors: str = "") -> LoadReport:
    """Reads our line out of wrk's output. Raises MeasurementFailed where it is not there or nothing was answered."""
    line = next((line for line in output.splitlines() if line.startswith(REPORT)), None)
    if line is None:
        said = (errors.strip() or output.strip() or "no output").splitlines()
        raise MeasurementFailed(f"wrk gave no report: {said[-1]}")
    values = json.loads(line.removeprefix(REPORT))
    if not values["requests"]:
        raise MeasurementFailed(f"no request was answered, {values['errors']} errors")
    return LoadReport(
        requests=values["requests"],
        seconds=values["duration_us"] / 1e6,
        p50_ms=values["p50_us"] / 1e3,
        p99_ms=values["p99_us"] / 1e3,
        max_ms=values["max_us"] / 1e3,
        errors=values["errors"],
    )


def obtain(cache: Cache) -> Wrk:
    """Returns the machine's wrk, else one unpacked into the cache. Raises Unavailable."""
    if path := shutil.which("wrk"):
        return Wrk(Path(path), None)
    folder = cache.obtain("wrk", lambda place: debian_unpack("wrk", place))
    program = folder / "usr" / "bin" / "wrk"
    if not program.exists():
        raise Unavailable("Debian's package wrk holds no usr/bin/wrk")
    libraries = next((folder / "usr" / "lib").glob("*-linux-gnu"), None)
    return Wrk(program, libraries)
