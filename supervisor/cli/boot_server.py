"""`isolated boot-server`: what a rack boots from."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast

import click

from supervisor.cli import words

if TYPE_CHECKING:
    from supervisor.boot.journal import Progress
    from supervisor.boot.settings import BootSettings

CODES = """\b
Exit codes:
  0    done; check: nothing that keeps machines from booting
  1    it cannot be done; check: something keeps machines from booting
  2    the settings or the command line are wrong
  70   a defect of isolated itself, with a traceback
"""


@click.group("boot-server", epilog=CODES, short_help="Boot a rack of machines over the network.")
def boot_server() -> None:
    """Answers booting machines: addresses and loaders by dnsmasq, images, settings and the cluster key by HTTP.

    alpine/README.md goes through it step by step, from an empty machine to a booted rack.
    """


def _with_settings(command: Callable[..., Any]) -> Callable[..., Any]:
    option = click.option(
        "--config", metavar="FILE", help="The settings file, TOML.  [default: /etc/isolated/boot-server.toml]"
    )
    return option(command)


def _load(config: str | None) -> BootSettings:
    from supervisor.boot.settings_load import load_boot_settings

    return load_boot_settings(config)


@boot_server.command(short_help="Serve booting machines until SIGTERM.")
@_with_settings
def run(config: str | None) -> None:
    """Serves in the foreground, as a service manager wants it. Needs root, for DHCP. Logs go to stderr."""
    from supervisor.host.boot_server import serve_rack
    from supervisor.telemetry.logs import LogFormat, logging_to

    settings = _load(config)
    with logging_to(2, form=cast("LogFormat | None", settings.log_format), level=settings.log_level):
        serve_rack(settings)


@boot_server.command(short_help="Find the usual mistakes.")
@_with_settings
@click.option("--dhcp-wait", type=float, default=5.0, show_default=True, metavar="SECONDS",
              help="How long to wait for other DHCP servers.")  # fmt: skip
def check(config: str | None, dhcp_wait: float) -> int:
    """Tries everything: files and their checksums, the key, ports, TFTP, and whether another DHCP server answers.

    Run it before the boot server, and again beside it. Takes some seconds.
    """
    from supervisor.boot.checks.all import check_all
    from supervisor.boot.checks.finding import Weight

    found = []
    for finding in check_all(_load(config), dhcp_wait):
        found.append(finding)
        click.echo(str(finding))
    if not found:
        click.echo("nothing found")
    return int(any(each.weight is Weight.ERROR for each in found))


@boot_server.command(short_help="Show how far machines have come.")
@_with_settings
@click.option("--json", "as_json", is_flag=True, help="One JSON object, for programs.")
def status(config: str | None, *, as_json: bool) -> None:
    """Shows each machine that was heard of: its image, address, how far its boot has come and what went wrong."""
    from supervisor.boot.checks.all import running_pid
    from supervisor.boot.journal import to_document
    from supervisor.boot.story import STATUS, read_story
    from supervisor.cli.tables import Column, show_table

    settings = _load(config)
    _, journal = read_story(settings.state_dir / STATUS)
    pid = running_pid(settings)
    if as_json:
        click.echo(json.dumps({"pid": pid, "machines": to_document(journal)}, indent=2))
        return
    click.echo("the boot server does not run" if pid is None else f"the boot server runs, process {pid}", err=True)
    heads = ("MACHINE", "NAME", "IMAGE", "ADDRESS", "BOOTS", "STAGE", "AGO", "TOOK", "PROBLEM")
    rows = [_row(each, time.time()) for each in sorted(journal.machines.values(), key=lambda each: each.name or "~")]
    show_table([Column(head, right=head in ("BOOTS", "AGO", "TOOK")) for head in heads], rows)


def _row(progress: Progress, now: float) -> tuple[str, ...]:
    first, last = min(progress.stages.values(), default=None), progress.last
    return (
        progress.mac,
        words.text(progress.name or None),
        words.text(progress.image),
        words.text(progress.address),
        str(progress.boots),
        words.text(progress.stage),
        words.NOTHING if last is None else words.age(now - last),
        words.NOTHING if first is None or last is None else words.age(last - first),
        words.text(progress.problem),
    )


@boot_server.command(short_help="Take the checksums of an image.")
@_with_settings
@click.argument("version")
def seal(config: str | None, version: str) -> None:
    """Takes the checksums of all files of the image VERSION, which are served only as they are now."""
    from supervisor.boot.promotion import parse_version
    from supervisor.boot.shelf import seal as seal_image

    folder = _load(config).images / _asked(parse_version, version)
    for name, digest in seal_image(folder).items():
        click.echo(f"{digest[:16]}  {name}")


@boot_server.command(short_help="Let machines boot an image.")
@_with_settings
@click.argument("version")
@click.option("--canary", metavar="SHARE", help="Only a share of the machines, always the same: 10%, or 0.1.")
def promote(config: str | None, version: str, canary: str | None) -> None:
    """Lets machines boot the image VERSION from their next boot on: all of them, or a share that tries it.

    Machines and groups with an `image` of their own in the settings are left alone.
    """
    from supervisor.boot.promotion import parse_share, parse_version
    from supervisor.boot.shelf import Shelf

    shelf = Shelf(_load(config).images)
    share = None if canary is None else _asked(parse_share, canary)
    promotion = _asked(lambda name: shelf.promote(parse_version(name), share), version)
    tried = "" if promotion.canary is None else f"; {promotion.canary} for {promotion.share:.0%} of the machines"
    click.echo(f"promoted: {promotion.stable}{tried}")


@boot_server.command(short_help="Print the settings, with defaults and meaning.")
@click.option("--toml", "form", flag_value="toml", help="A settings file with every default, to begin with.")
@click.option("--markdown", "form", flag_value="markdown", help="Tables for documents.")
def settings(form: str | None) -> None:
    """Prints what an operator can set: of the server itself, of groups and of machines."""
    from supervisor.boot import settings_doc

    click.echo(settings_doc.example() if form == "toml" else settings_doc.markdown(), nl=False)


def _asked[T](function: Callable[[str], T], text: str) -> T:
    """What a parser makes of an argument; what it refuses is wrong usage."""
    from supervisor.spec.refused import Refused

    try:
        return function(text)
    except Refused as refused:
        raise click.UsageError(f"{text!r}: {refused.message}; allowed: {refused.allowed}. {refused.remedy}") from None
