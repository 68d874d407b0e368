"""`isolated serve`: the daemon. Its flags are the settings, made from their declarations."""

from __future__ import annotations

import os
from typing import cast

import click

from supervisor.cli.codes import RUN_CODES


class _WithSettings(click.Command):
    """Has a flag for every setting; they are loaded only when the command is used or its help is shown."""

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        params = super().get_params(ctx)
        # get_params ends with the help option, which stays last
        return [*params[:-1], *_flags(), params[-1]]


def _flags() -> list[click.Parameter]:
    from supervisor.spec.settings import SETTINGS

    flags: list[click.Parameter] = []
    for setting in SETTINGS:
        told = f"{setting.declared.meaning}  [default: {setting.tell(setting.default)}; env: {setting.env}]"
        flags.append(
            click.Option(
                [setting.flag, setting.attribute],
                metavar=setting.declared.kind.unit.upper().replace(" ", "-"),
                help=told[0].upper() + told[1:],
                hidden=setting.declared.hidden,
            )
        )
    return flags


@click.command(cls=_WithSettings, epilog=RUN_CODES, short_help="Be the host of this machine, with a control API.")
@click.option(
    "--config",
    metavar="FILE",
    help="The settings file, TOML.  [default: /etc/isolated/isolated.toml, which need not exist; env: ISOLATED_CONFIG]",
)
def serve(config: str | None, **flags: str | None) -> int:
    """Runs the host in the foreground, as a service manager wants it: every task that was applied is back.

    SIGINT or SIGTERM drains and exits, a second one ends at once; SIGUSR2 hands over to a fresh process. Logs go to
    stderr. `isolated apply` and the other commands reach it by its control socket.

    Each setting is read from the settings file, then from the environment, then from flags: the later wins.
    """
    from supervisor.spec.settings_load import load_settings

    given = {name: value for name, value in flags.items() if value is not None}
    settings = load_settings(config, os.environ, given)
    from supervisor.limits.capabilities import drop_capabilities, needed_capabilities
    from supervisor.limits.cgroups import move_home
    from supervisor.limits.startup import prepare
    from supervisor.telemetry.logs import LogFormat, logging_to

    advice = prepare(settings)
    move_home()
    needed = needed_capabilities(shaping=settings.shape_interfaces != (), power_off=settings.power_off)
    drop_capabilities(needed)  # while there is one thread
    with logging_to(2, form=cast("LogFormat | None", settings.log_format), level=settings.log_level) as sink:
        from supervisor.host import serve as serve_tasks  # only now: wrong settings are told without waiting for V8

        try:
            return serve_tasks(settings, advice, sink)
        except BrokenPipeError as error:  # click takes one for a reader of our output that went away, and is silent
            raise RuntimeError("a connection broke and nobody handled it") from error
