"""Waiting until a task serves, or cannot."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

from supervisor.cli import words
from supervisor.cli.client import Client
from supervisor.cli.codes import HostBusy, HostFailed, HostUnreachable
from supervisor.cli.shapes import as_objects
from supervisor.errors import IsolatedError

POLL_S = 0.1
GOOD = ("running", "idle")


def wait_until_ready(
    client: Client,
    label: str,
    patience_s: float,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """Returns once the task runs, or sleeps with its ports open. HostFailed if it cannot, or not in time."""
    deadline = clock() + patience_s
    while True:
        state = "not told"
        try:
            task = client.ask("GET", "tasks", label).object
            state = words.text(task.get("state"))
            if state in GOOD:
                return
            if state in ("blocked", "stopped"):
                raise _failed(label, task, f"is {state}")
        except (HostUnreachable, HostBusy) as error:  # a hand-over or a restart; the task comes back with the host
            _give_up(deadline, clock, error)
        else:
            _give_up(deadline, clock, _failed(label, task, f"is still {state} after {words.seconds(patience_s)}"))
        sleep(POLL_S)


def _give_up(deadline: float, clock: Callable[[], float], error: IsolatedError) -> None:
    if clock() >= deadline:
        raise error


def _failed(label: str, task: Mapping[str, Any], how: str) -> HostFailed:
    last = next(iter(as_objects(task.get("exits"))), None)
    why = (
        ""
        if last is None
        else f"; it last ended by {words.text(last.get('reason'))}: {words.text(last.get('message'))}"
    )
    remedy = {
        "is stopped": f"`isolated start {label}` starts it",
        "is blocked": f"`isolated release {label}` lets it start",
    }
    return HostFailed(f"{label} {how}{why}", remedy.get(how, f"`isolated logs {label}` shows what it wrote"))
