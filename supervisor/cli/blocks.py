"""`isolated blocked` and `isolated release`: scripts that are not started again for now."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click

from supervisor.cli import words
from supervisor.cli.options import TASK, as_json, on_host
from supervisor.cli.tables import Column, show_table

if TYPE_CHECKING:
    from supervisor.cli.client import Client

SOURCES_SHOWN = 16  # digits of a hash: enough to tell scripts apart, and to release by (8 would do)
COLUMNS = (Column("SOURCES"), Column("TASK"), Column("SINCE"), Column("FOR ANOTHER", right=True), Column("REASON"))


@click.command(short_help="List scripts that are not started again for now.")
@as_json
@on_host
def blocked(client: Client, *, as_json: bool) -> None:
    """Lists the scripts whose thread had to be parked, and for how long they are not started again."""
    answer = client.ask("GET", "blocks")
    if as_json:
        click.echo(answer.text)
    elif blocks := answer.objects:
        now = time.time()
        show_table(COLUMNS, [_row(block, now) for block in blocks])
    else:
        click.echo("nothing is blocked", err=True)


@click.command(short_help="Let a blocked script start again.")
@click.argument("which", metavar="TASK|SOURCES", type=TASK)
@as_json
@on_host
def release(client: Client, which: str, *, as_json: bool) -> None:
    """Lets a script start again: that of a task, or the one with this hash of its sources (8 digits or more)."""
    answer = client.ask("DELETE", "blocks", which)
    if as_json:
        click.echo(answer.text)
        return
    for block in answer.objects:
        click.echo(f"{words.text(block.get('task'))}: released {words.text(block.get('sources'))[:SOURCES_SHOWN]}")


def _row(block: Mapping[str, Any], now: float) -> tuple[str, ...]:
    until = block.get("until")
    return (
        words.text(block.get("sources"))[:SOURCES_SHOWN],
        words.text(block.get("task")),
        words.moment(block.get("since")),
        words.age(until - now) if isinstance(until, int | float) else words.NOTHING,
        words.text(block.get("reason")),
    )
