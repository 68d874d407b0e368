"""`isolated run`: tasks in the foreground."""

from __future__ import annotations

from typing import cast

import click

from supervisor.cli.codes import RUN_CODES

WARM_MAX = 1000  # about 1.5 GiB of isolates that wait for nothing

EPILOG = f"""\b
A task file is JSON5, JSON or TOML. The smallest, as hello.json5:
  {{
    taskId: 'hello',
    mainPath: './hello.js',
    listen: ['127.0.0.1:3000'],
  }}
\b
with hello.js beside it:
  export default {{
    fetch(request) {{ return new Response('Hello'); }}
  }};
\b
Then:
  isolated run hello.json5
  curl http://127.0.0.1:3000/

`isolated schema` prints every field with its meaning and range.

{RUN_CODES}"""


@click.command(epilog=EPILOG, short_help="Run tasks in the foreground until Ctrl-C.")
@click.argument("files", metavar="FILE…", nargs=-1, required=True, type=click.Path())
@click.option(
    "--log-format", type=click.Choice(["console", "json"]), help="Default: console on a terminal, else json lines."
)
@click.option(
    "--log-level",
    type=click.Choice(["debug", "info", "warning", "error"]),
    default="info",
    show_default=True,
    help="The least important lines to show; those of tasks count too.",
)
@click.option(
    "--warm",
    type=click.IntRange(0, WARM_MAX),
    default=1,
    show_default=True,
    metavar="N",
    help="Isolates kept ready for the next boot. More make bursts of boots faster and cost about 1.5 MiB each.",
)
@click.option(
    "--unenforced",
    type=click.Choice(["refuse", "warn"]),
    default="refuse",
    show_default=True,
    help="What becomes of a task with a limit that cannot be held here: an error, or a warning.",
)
@click.option("--v8-flags", default="", hidden=True, help="Flags for V8 itself; for development.")
@click.option("--no-seccomp", is_flag=True, hidden=True, help="Leave isolate threads every system call; for debuggers.")
def run(
    files: tuple[str, ...],
    log_format: str | None,
    log_level: str,
    warm: int,
    unenforced: str,
    v8_flags: str,
    *,
    no_seccomp: bool,
) -> int:
    """Runs the tasks that FILE… describe, in the foreground, until they are asked to stop.

    Says when each task is ready and where it listens. Ctrl-C (SIGINT) or SIGTERM stops accepting, answers what is
    under way and exits; a second one ends at once. Logs go to stderr.
    """
    from supervisor.limits.affinity import this_machine
    from supervisor.spec.files import load_task_files
    from supervisor.spec.options import RunOptions
    from supervisor.telemetry.logs import LogFormat, logging_to

    specs = load_task_files(files, this_machine())
    options = RunOptions(warm=warm, refuse_unenforced=unenforced == "refuse", v8_flags=v8_flags, seccomp=not no_seccomp)
    from supervisor.host import run as run_tasks  # only now: wrong settings are told without waiting for V8

    with logging_to(2, form=cast("LogFormat | None", log_format), level=log_level):
        try:
            return run_tasks(specs, options)
        except BrokenPipeError as error:  # click takes one for a reader of our output that went away, and is silent
            raise RuntimeError("a connection broke and nobody handled it") from error
