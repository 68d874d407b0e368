"""The commands as a group, and what becomes of their failures."""

from __future__ import annotations

import contextlib
import sys
import traceback
from collections.abc import Sequence
from typing import NoReturn

import click

from supervisor import __version__
from supervisor.cli.about import completion, schema, settings, version
from supervisor.cli.apply import apply
from supervisor.cli.blocks import blocked, release
from supervisor.cli.boot_config import boot_config
from supervisor.cli.boot_server import boot_server
from supervisor.cli.cluster import cluster_key, hosts
from supervisor.cli.codes import EXIT_DEFECT, EXIT_INTERRUPTED, HOST_CODES
from supervisor.cli.daemon import drain, status, upgrade
from supervisor.cli.events import events
from supervisor.cli.lives import rm, start, stop
from supervisor.cli.logs import logs
from supervisor.cli.run import run
from supervisor.cli.serve import serve
from supervisor.cli.tasks import get, ps
from supervisor.errors import IsolatedError

EPILOG = f"""\b
Examples:
  isolated run hello.json5            run a task in the foreground until Ctrl-C
  isolated serve                      be the host of this machine, as its service does
  isolated apply ./shop --wait        bring a task and its files to the host
  isolated ps                         what the host has
  isolated logs -f shop               what it writes
  isolated completion bash            a completion script for the shell

{HOST_CODES}"""

SECTIONS: dict[str, tuple[click.Command, ...]] = {
    "In the foreground": (run, serve),
    "Tasks of a host": (apply, ps, get, logs, events, stop, start, rm, blocked, release),
    "The host": (status, drain, upgrade),
    "The cluster": (hosts, cluster_key),
    "A rack": (boot_server, boot_config),
    "Knowledge": (settings, schema, version, completion),
}


class _Sections(click.Group):
    """Lists its commands under heads, in the order in which people need them."""

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        for head, commands in SECTIONS.items():
            with formatter.section(head):
                formatter.write_dl([(each.name or "", each.get_short_help_str(80)) for each in commands])


@click.group(
    cls=_Sections, epilog=EPILOG, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}
)
@click.version_option(__version__, prog_name="isolated", message="%(prog)s %(version)s")
def cli() -> None:
    """Runs JavaScript programs, each in a V8 isolate of its own, with limits of its own.

    A program answers HTTP by exporting a fetch handler, as on the edge platforms. What to run is said by a
    task file; `isolated run --help` shows one.
    """


for _commands in SECTIONS.values():
    for _command in _commands:
        cli.add_command(_command)


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
