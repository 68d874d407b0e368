"""What `isolated run` was asked for besides the tasks."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RunOptions:
    """How to run, whatever is run."""

    warm: int = 1  # isolates kept ready for the next boot; each costs about 1.5 MiB
    v8_flags: str = ""  # as on V8's command line; for development
    refuse_unenforced: bool = True  # tasks with a limit that cannot be held here; else they run without it
    seccomp: bool = True  # isolate threads make no system calls but those they need; off for debugging
