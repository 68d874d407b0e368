"""`isolated apply`: makes tasks of the host be as their files say."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from supervisor.cli import words
from supervisor.cli.codes import HOST_CODES
from supervisor.cli.lives import each_of
from supervisor.cli.options import as_json, on_host
from supervisor.cli.shapes import joined
from supervisor.cli.times import LONG_S

if TYPE_CHECKING:
    from supervisor.cli.client import Answer, Client
    from supervisor.cli.sources import Source

READY_S = 60.0
BUNDLE_MAX = "256MiB"  # what a host unpacks unless set otherwise; keeps `pwd: '/'` from filling the disk

EPILOG = f"""\b
Examples:
  isolated apply ./shop                  the task.json5, task.json or task.toml in a folder, and its files
  isolated apply shop.toml --dry-run     what would change
  isolated apply a.json5 b.json5 --wait  two tasks; return when both serve
  isolated apply a.json5 --no-bundle     its pwd is a folder of the host, and read there at each boot

{HOST_CODES}"""


class _Amount(click.ParamType[float]):
    """A time or a size, as in task files; seconds or bytes."""

    def __init__(self, kind: str) -> None:
        self.name = kind

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        from supervisor.spec.refused import Refused
        from supervisor.spec.units import SIZE, TIME

        if not isinstance(value, str):
            return float(value)
        try:
            return float(TIME.parse(value)) / 1000 if self.name == "time" else float(SIZE.parse(value))
        except Refused as refused:
            self.fail(f"{refused.message}; allowed: {refused.allowed}", param, ctx)


@click.command(epilog=EPILOG, short_help="Bring tasks to the host, or change them.")
@click.argument("sources", metavar="FILE|DIR…", nargs=-1, required=True, type=click.Path())
@click.option("--dry-run", is_flag=True, help="Tell what would change; only bundles are uploaded, to be checked.")
@click.option(
    "--bundle/--no-bundle", default=True, show_default=True,
    help="Bring the files in pwd along; else pwd is a folder of the host.",
)  # fmt: skip
@click.option(
    "--on", metavar="HOST", help="The host of the cluster that it has to run on, by its id (placement.hosts)."
)
@click.option("--wait", is_flag=True, help="Return when the tasks serve; fail if they cannot.")
@click.option(
    "--timeout", type=_Amount("time"), default=f"{READY_S:g}s", show_default=True, help="How long --wait waits."
)
@click.option(
    "--bundle-max", type=_Amount("size"), default=BUNDLE_MAX, show_default=True, help="The largest folder to pack."
)
@as_json
@on_host
def apply(
    client: Client,
    sources: tuple[str, ...],
    timeout: float,
    bundle_max: float,
    on: str | None,
    *,
    dry_run: bool,
    bundle: bool,
    wait: bool,
    as_json: bool,
) -> None:
    """Makes tasks of the host be as FILE… say: creates them, changes them, or leaves them as they are.

    A running isolate of a changed task is replaced without a failed request. All files are checked before the first
    is applied. A DIR stands for the task file in it.
    """
    from supervisor.cli.readiness import wait_until_ready
    from supervisor.cli.sources import read_sources

    def one(source: Source) -> None:
        answer = _apply(client, source, int(bundle_max), dry_run=dry_run)
        click.echo(answer.text if as_json else _told(answer.object))
        if wait and not dry_run:
            wait_until_ready(client, source.label, timeout)

    found = read_sources(sources, client.way.address, bundle=bundle)
    each_of([source if on is None else _placed(source, on) for source in found], one)


def _placed(source: Source, host: str) -> Source:
    placement = source.settings.get("placement")
    hosts = {**(placement if isinstance(placement, dict) else {}), "hosts": [host]}
    return replace(source, settings={**source.settings, "placement": hosts})


def _apply(client: Client, source: Any, bundle_max: int, *, dry_run: bool) -> Answer:
    from supervisor.errors import SettingsError

    try:
        if source.folder is None:
            return _ask(client, source, None, dry_run=dry_run)
        return _with_bundle(client, source, bundle_max, dry_run=dry_run)
    except SettingsError as error:  # the host does not know the file's name
        raise SettingsError([replace(problem, file=source.file) for problem in error.problems]) from None


def _with_bundle(client: Client, source: Any, bundle_max: int, *, dry_run: bool) -> Answer:
    from supervisor.cli.bundling import bring, packed
    from supervisor.cli.codes import UnknownToHost

    with packed(source.folder, source.file, bundle_max) as archive:
        bring(client, archive, source.label)
        try:
            return _ask(client, source, archive.digest, dry_run=dry_run)
        except UnknownToHost:  # nobody used the bundle, and the host swept it away in between
            bring(client, archive, source.label)
            return _ask(client, source, archive.digest, dry_run=dry_run)


def _ask(client: Client, source: Any, digest: str | None, *, dry_run: bool) -> Answer:
    from supervisor.cli.progress import waiting

    with waiting(f"{source.label}: applying"):
        query = {"dryRun": dry_run, "bundle": digest}
        return client.ask("POST", "apply", query=query, body=source.settings, timeout_s=LONG_S)


def _told(applied: dict[str, Any]) -> str:
    """created, changed or unchanged, in words."""
    plan = bool(applied.get("dryRun"))
    change = words.text(applied.get("change"))
    fields = joined(applied.get("fields"), ", ")
    told = f"{words.text(applied.get('task'))}: {'would be ' if plan and change != 'unchanged' else ''}{change}"
    if change == "changed" and fields:
        told += f" in {fields}"
    if applied.get("restarts"):
        told += "; a fresh isolate " + ("would take" if plan else "takes") + " over"
    listen = joined(applied.get("listen"))
    told += f"; on host {words.text(applied.get('host'))}" if applied.get("host") else ""
    told += f"; listens on {listen}" if listen and not plan else ""
    return "\n".join((told, *(f"  warning: {words.text(each)}" for each in applied.get("warnings") or ())))
