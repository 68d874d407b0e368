"""wrk on many ports at once, for as long as something else takes."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tools.benchmarks.load import ANSWER_SECONDS, WORKLOADS, LoadReport, Wrk, parse_report
from tools.benchmarks.results import MeasurementFailed
from tools.benchmarks.subject import HOST

# Each thread asks one port; wrk has no other way to ask more than one.
SCRIPT = """
local ports = {%(ports)s}
local threads = 0
setup = function(thread)
  threads = threads + 1
  thread.addr = wrk.lookup("%(host)s", ports[threads])[1]
end
wrk.headers["Connection"] = %(connection)s
"""


class Going:
    """wrk at work."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    @property
    def is_over(self) -> bool:
        """Whether its process has ended."""
        return self._process.poll() is not None

    def end(self) -> LoadReport:
        """Asks it to end, and returns the report. Raises MeasurementFailed."""
        self._process.send_signal(signal.SIGINT)
        try:
            output, _ = self._process.communicate(timeout=3 * ANSWER_SECONDS)
        except subprocess.TimeoutExpired as error:
            raise MeasurementFailed(f"wrk did not end within {error.timeout:.0f} s") from error
        return parse_report(output)


def script(ports: Sequence[int], *, close: bool) -> str:
    """Returns wrk's Lua script: GET / on each port by a thread of its own. close: the client asks for it each time."""
    choice = {
        "ports": ", ".join(f'"{port}"' for port in ports),
        "host": HOST,
        "connection": '"close"' if close else "nil",
    }
    return WORKLOADS[0].script() + SCRIPT % choice


@contextmanager
def load_on(
    wrk: Wrk, ports: Sequence[int], *, connections: int, seconds: int, close: bool, folder: Path
) -> Iterator[Going]:
    """Asks all these ports at once for the length of the block, for at most `seconds`; `connections` in all."""
    file = folder / "load.lua"
    file.write_text(script(ports, close=close), encoding="utf-8")
    options = [f"-t{len(ports)}", f"-c{connections}", f"-d{seconds}s", f"--timeout={ANSWER_SECONDS}s", "-s", str(file)]
    process = subprocess.Popen(
        [wrk.program, *options, f"http://{HOST}:{ports[0]}/"],
        env=wrk.environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        yield Going(process)
    finally:
        process.kill()
        process.communicate()
