"""The contract with the programs in programs/: how subjects without an HTTP server are measured.

    PROGRAM starts COUNT    writes one line of JSON, {case: [milliseconds, ...]}, and ends; a case is "cold" or
                            "warm pool", the isolates come one after another, each ended before the next
    PROGRAM idle COUNT      writes one line of JSON, {"seconds": S}, once COUNT isolates have answered and idle;
                            ends when its stdin does
    PROGRAM tenants FILE MIB
                            holds two tenants, each with a memory limit of so many MiB, and ends when its stdin does.
                            Reads a word a line: "go" runs FILE in one of them, "ask" asks the other, "fresh" makes a
                            third and asks it. Writes {"event": E} a line: "ready" once, "answer" and "fresh" when it
                            has the answer, "over" when FILE ended, with "how" ("limit", "exception" or "returned")
                            and "reason" in the runtime's own words

The first two let a few isolates come and go first: what only the first of a process pay is no property of an isolate.
"""

from __future__ import annotations

import json
import select
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from tools.benchmarks.children import Child, Launch, started
from tools.benchmarks.house import House, Spoken
from tools.benchmarks.results import MeasurementFailed
from tools.benchmarks.subject import Idle, Starts

FOLDER = Path(__file__).resolve().parent / "programs"
READY_SECONDS = 60.0  # from a program's start until its tenants have answered, on a busy machine
ANSWER_SECONDS = 180.0  # 1,000 isolates at 100 ms each, with room for a busy machine


def run_starts(launch: Launch, count: int) -> Starts:
    """Runs `PROGRAM starts COUNT` and returns its times. Raises MeasurementFailed."""
    with started(with_arguments(launch, "starts", count), talk=True) as child:
        return json_line(child)


@contextmanager
def hold_idle(launch: Launch, count: int) -> Iterator[Idle]:
    """Runs `PROGRAM idle COUNT` for the length of the block, from when its isolates idle. Raises MeasurementFailed."""
    with started(with_arguments(launch, "idle", count), talk=True) as child:
        answer = json_line(child)
        yield Idle(child.pid, float(answer["seconds"]))


@contextmanager
def hold_tenants(launch: Launch, script: Path, limit_mib: int) -> Iterator[House]:
    """Runs `PROGRAM tenants FILE MIB` for the length of the block, from when it is ready. Raises MeasurementFailed."""
    with started(with_arguments(launch, "tenants", script, limit_mib), talk=True) as child:
        house = Spoken(child)
        deadline = time.monotonic() + READY_SECONDS
        while (event := house.next(0.1)) is None or event.kind != "ready":
            child.check()
            if time.monotonic() > deadline:
                raise MeasurementFailed(f"was not ready within {READY_SECONDS:.0f} s")
        yield house


def with_arguments(launch: Launch, *arguments: object) -> Launch:
    """Returns the same command with more arguments."""
    return replace(launch, argv=(*launch.argv, *(str(argument) for argument in arguments)))


def json_line(child: Child) -> dict[str, Any]:
    """Returns the next line of a program that was started with `talk`. Raises MeasurementFailed."""
    output = child.process.stdout
    assert output is not None, "the program was started without talk"
    if not select.select([output], [], [], ANSWER_SECONDS)[0]:
        raise MeasurementFailed(f"said nothing for {ANSWER_SECONDS:.0f} s")
    line = output.readline()
    if not line:
        child.process.wait()
        child.check()
    try:
        return dict(json.loads(line))
    except ValueError as error:
        raise MeasurementFailed(f"expected a line of JSON, got {line.strip()!r}") from error
