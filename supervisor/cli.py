"""The command line: reads what was asked, hands over to the host, turns errors into messages and exit codes.

Heavy parts are imported by the command that needs them, so that `--help` and completion answer at once.
"""

from __future__ import annotations

import contextlib
import sys
import traceback
from collections.abc import Sequence
from typing import NoReturn, cast

import click

from supervisor import __version__
from supervisor.errors import IsolatedError

EXIT_DEFECT = 70  # EX_SOFTWARE of sysexits.h: the fault is ours
EXIT_INTERRUPTED = 130  # 128 + SIGINT, as shells count
WARM_MAX = 1000  # about 1.5 GiB of isolates that wait for nothing

EXIT_CODES = """\b
Exit codes:
  0    drained after SIGINT or SIGTERM, or every task ended by itself
  1    a task could not be started (its main module is missing or throws), or an address is in use
  2    the settings or the command line are wrong
  70   a defect of isolated itself, with a traceback
  130  ended at once by SIGINT: a second one, or before anything was started (143: SIGTERM)
"""

RUN_EPILOG = f"""\b
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

{EXIT_CODES}"""

MAIN_EPILOG = f"""\b
Examples:
  isolated run hello.json5            run a task until Ctrl-C
  isolated run shop.toml api.json5    run several, each in its own isolate
  isolated version --json             what this host is made of
  isolated completion bash            a completion script for the shell

{EXIT_CODES}"""


@click.group(epilog=MAIN_EPILOG, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="isolated", message="%(prog)s %(version)s")
def cli() -> None:
    """Runs JavaScript programs, each in a V8 isolate of its own, with limits of its own.

    A program answers HTTP by exporting a fetch handler, as on the edge platforms. What to run is said by a
    task file; `isolated run --help` shows one.
    """


@cli.command(epilog=RUN_EPILOG, short_help="Run tasks in the foreground until Ctrl-C.")
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
@click.option("--v8-flags", default="", hidden=True, help="Flags for V8 itself; for development.")
@click.option("--no-seccomp", is_flag=True, hidden=True, help="Leave isolate threads every system call; for debuggers.")
def run(
    files: tuple[str, ...], log_format: str | None, log_level: str, warm: int, v8_flags: str, *, no_seccomp: bool
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
    options = RunOptions(warm=warm, v8_flags=v8_flags, seccomp=not no_seccomp)
    from supervisor.host import run as run_tasks  # only now: wrong settings are told without waiting for V8

    with logging_to(2, form=cast("LogFormat | None", log_format), level=log_level):
        try:
            return run_tasks(specs, options)
        except BrokenPipeError as error:  # click takes one for a reader of our output that went away, and is silent
            raise RuntimeError("a connection broke and nobody handled it") from error


@cli.command(short_help="Print the versions of V8, Python and every part.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object, for programs.")
def version(as_json: bool) -> None:
    """Prints the versions of isolated, V8, Python and every part they are built with."""
    import json

    from supervisor.telemetry.versions import versions, versions_text

    click.echo(json.dumps(versions(), indent=2) if as_json else versions_text())


@cli.command(short_help="Print the JSON schema of task files, for editors.")
def schema() -> None:
    """Prints the JSON schema of task files, for editors.

    Say `"$schema": "./task.schema.json"` in a task file, and editors complete and check its fields.
    """
    from supervisor.spec.schema import schema_text

    click.echo(schema_text(), nl=False)


@cli.command(short_help="Print a completion script for a shell.")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    """Prints a completion script for SHELL.

    \b
      bash: isolated completion bash > ~/.local/share/bash-completion/completions/isolated
      zsh:  isolated completion zsh > a folder of $fpath/_isolated
      fish: isolated completion fish > ~/.config/fish/completions/isolated.fish
    """
    from click.shell_completion import get_completion_class

    found = get_completion_class(shell)
    assert found is not None, "click knows every shell that the argument's type admits"
    click.echo(found(cli, {}, "isolated", "_ISOLATED_COMPLETE").source())


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Runs the command line and exits with its code."""
    sys.exit(code_of(arguments))


def code_of(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line; every failure becomes a message on stderr and an exit code."""
    try:
        code = cli.main(arguments, prog_name="isolated", standalone_mode=False)
        return code if isinstance(code, int) else 0
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except click.Abort, KeyboardInterrupt:
        return EXIT_INTERRUPTED
    except Exception as error:  # noqa: BLE001  # whatever it is, it ends here: in words, or with its traceback
        known = _known(error)
        if known:
            _tell("\n".join(f"isolated: {each}" for each in known))
            return max(each.exit_code for each in known)
        _tell(f"{traceback.format_exc()}\nisolated: a defect of isolated itself; please report it with the lines above")
        return EXIT_DEFECT


def _known(error: BaseException) -> list[IsolatedError]:
    """What a person can act upon in `error`, alone or a group; empty if a defect is among it."""
    if isinstance(error, IsolatedError):
        return [error]
    if not isinstance(error, BaseExceptionGroup):
        return []
    found = [_known(each) for each in error.exceptions]
    return [each for part in found for each in part] if all(found) else []


def _tell(text: str) -> None:
    with contextlib.suppress(OSError):  # stderr is closed: the exit code has to say it
        click.echo(text, err=True)
