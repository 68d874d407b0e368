"""What whoever started a task hears when it did not start."""

from __future__ import annotations

from supervisor.errors import BootError, EngineError, IsolatedError
from supervisor.spec.exits import Exit, ExitReason
from supervisor.spec.task import TaskSpec


def no_handler(spec: TaskSpec) -> BootError:
    """It listens, and does not answer."""
    return BootError(
        f"task {spec.label} listens, but its main module {spec.main_path} handles no requests",
        "add `export default { fetch(request) { … } }`, or addEventListener('fetch', …) in a script",
        file=f"{spec.pwd}/{spec.main_path}",
    )


def boot_error(spec: TaskSpec, end: Exit) -> IsolatedError:
    """Its isolate ended before it was ready, or was of no use."""
    if end.reason is ExitReason.NO_HANDLER:
        return no_handler(spec)
    if end.reason is ExitReason.NO_THREAD:
        return EngineError(
            f"task {spec.label} did not start: {end.describe()}",
            "raise the limit of threads (`ulimit -u`, pids.max, systemd's TasksMax), or lower the host's isolates",
        )
    error = end.error
    if error is None:
        return BootError(f"task {spec.label} did not start: {end.describe()}")
    stack = error.stack or ""
    first, _, frames = stack.partition("\n")
    stack = frames if first in error.message else stack  # the message is told already
    return BootError(
        f"task {spec.label} did not start: {error.message}", file=error.file, place=error.place, stack=stack or None
    )
