"""The command line: what a person or a script types, over the host in this process or the control API of a daemon.

Heavy parts are imported by the command that needs them, so that `--help`, completion and `ps` answer at once.
"""

from __future__ import annotations

from supervisor.cli.codes import EXIT_DEFECT, EXIT_INTERRUPTED
from supervisor.cli.main import cli, code_of, main

__all__ = ["EXIT_DEFECT", "EXIT_INTERRUPTED", "cli", "code_of", "main"]
