"""What a client is told when its request gets no answer; never a program's own words."""

from __future__ import annotations

import math

from supervisor.pool.blocked import Block
from supervisor.pool.exchange import Failure
from supervisor.spec.exits import Exit, ExitReason

_TITLES = {
    ExitReason.EXITED: "The program ended",
    ExitReason.UNCAUGHT: "The program could not start",
    ExitReason.HEAP_LIMIT: "The program ran out of memory",
    ExitReason.EXTERNAL_LIMIT: "The program ran out of memory",
    ExitReason.CPU_LIMIT: "The program used up its CPU time",
    ExitReason.WALL_LIMIT: "The program took too long",
    ExitReason.STARTUP_LIMIT: "The program took too long to start",
    ExitReason.NO_HANDLER: "The program handles no requests",
    ExitReason.NO_THREAD: "The host has no thread for the program",
    ExitReason.BLOCKED: "The program is blocked",
    ExitReason.UNRESPONSIVE: "The program stopped responding",
    ExitReason.ABORTED: "The program was aborted",
    ExitReason.IDLE: "The program was ended while idle",
    ExitReason.DRAINED: "The program was ended",
    ExitReason.KILLED: "The program was ended",
}


def of_exit(end: Exit, retry_after_s: float = 0.0) -> Failure:
    """Its isolate ended before it answered."""
    detail = f"The task's isolate ended ({end.reason}) before the request was answered."
    return Failure(
        503,
        end.reason.value,
        _TITLES[end.reason],
        detail,
        math.ceil(retry_after_s) or None,
        limit=end.limit,
        measured=end.measured,
        unit=end.unit if end.limit is not None or end.measured is not None else None,
    )


def of_wall_limit(wall_ms: float) -> Failure:
    """It was not answered in time."""
    return Failure(
        503,
        ExitReason.WALL_LIMIT.value,
        "The program took too long",
        f"The request was not answered within {wall_ms:g} ms, the task's limits.cpu.wall.",
        limit=wall_ms,
        unit="milliseconds",
    )


HANDLER_ERROR = Failure(500, "handler-error", "The program failed", "The program failed to answer this request.")
STOPPING = Failure(503, "stopping", "The host is stopping", "The task is being stopped.", 1)
# Long enough that a client's repetition is no load, short enough for a place that comes free any moment.
FULL_RETRY_S = 1
HOST_FULL = Failure(
    503,
    "host-full",
    "The host is full",
    "All places on this host are taken by tasks that are at work; the task starts when one is free.",
    FULL_RETRY_S,
)
QUEUE_FULL = Failure(503, "queue-full", "Too many requests wait", "Too many requests wait for the task to start.", 1)


def of_backoff(wait_s: float) -> Failure:
    """It failed again and again and has to wait."""
    return Failure(
        503,
        "backoff",
        "The program keeps failing",
        "The task failed several times in a row and is started again later.",
        max(1, math.ceil(wait_s)),
    )


def of_block(block: Block, now: float) -> Failure:
    """Its sources are blocked."""
    return Failure(
        503,
        ExitReason.BLOCKED.value,
        _TITLES[ExitReason.BLOCKED],
        f"The program had to be stopped by force ({block.reason}), and is not started again for now.",
        max(1, math.ceil(block.left_s(now))),
    )
