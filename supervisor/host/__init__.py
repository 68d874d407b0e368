"""The composition root: the only place where the parts meet."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from supervisor.spec.options import RunOptions
    from supervisor.spec.settings import HostSettings
    from supervisor.spec.task import TaskSpec
    from supervisor.telemetry.sink import LineSink


def run(specs: Sequence[TaskSpec], options: RunOptions) -> int:
    """Runs tasks in the foreground until a stop signal, or until all of them are over; returns the exit code.

    BootError, ListenError and EngineError if one cannot start: then nothing runs any more.
    """
    from supervisor.host.foreground import run_tasks

    return run_tasks(specs, options)


def serve(settings: HostSettings, advice: tuple[str, ...], sink: LineSink) -> int:
    """Is the daemon until a stop signal, or until a successor has taken over; returns the exit code.

    `advice`: what the operator should mend, for the log and the status. `sink`: where the log goes. StoreError,
    ListenError, EngineError if it cannot start.
    """
    from supervisor.host.service import serve_host

    return serve_host(settings, advice, sink)
