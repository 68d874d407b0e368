"""`isolated hosts` and `isolated cluster-key`: the hosts of a cluster, and the secret that they share."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click

from supervisor.cli import words
from supervisor.cli.codes import HOST_CODES
from supervisor.cli.options import as_json, on_host
from supervisor.cli.tables import Column, show_table

if TYPE_CHECKING:
    from supervisor.cli.client import Client

COLUMNS = (
    Column("HOST"),
    Column("STATE", whole=True),
    Column("BOOTED", right=True),
    Column("IMAGE"),
    Column("ROOM"),
    Column("TASKS", right=True),
    Column("ADDRESS"),
)
KEY_EPILOG = f"""\b
Examples:
  (umask 077; isolated cluster-key > /etc/isolated/cluster.key)
  isolated cluster-key | cat - /etc/isolated/cluster.key    a new key to be used, the old one still accepted

{HOST_CODES}"""


@click.command(short_help="List the hosts of the cluster.")
@click.option("--forget", metavar="HOST", help="Forget a host that failed or left, and will not come back.")
@as_json
@on_host
def hosts(client: Client, forget: str | None, *, as_json: bool) -> None:
    """Lists the hosts of the cluster, newest first: new tasks go to the first that has room.

    A host that failed counts for a day in what needs most of the hosts, and one that is gone counts as a guardian of
    strict tasks until it comes back; --forget ends both.
    """
    if forget is not None:
        client.ask("DELETE", "hosts", forget)
        click.echo(f"{words.text(forget)}: forgotten")
        return
    answer = client.ask("GET", "hosts")
    if as_json:
        click.echo(answer.text)
    elif found := answer.objects:
        now = time.time()
        show_table(COLUMNS, [_row(host, now) for host in found])
        if problem := client.ask("GET", "status").object.get("cluster"):
            click.echo(f"isolated: this host may not see the others: {words.lines(problem)}", err=True)
    else:
        click.echo("this host is one of no cluster; set clusterListen and clusterKeyFile", err=True)


@click.command("cluster-key", epilog=KEY_EPILOG, short_help="Make a key for a cluster.")
def cluster_key() -> None:
    """Prints a new key, a line for the file that `clusterKeyFile` names.

    All hosts of a cluster have the same file. The first line is used, the others are accepted: to change the key, put
    the new one last on all hosts, then first, then take the old one out; send SIGHUP to the hosts each time.
    """
    from supervisor.cluster.keys import make_key

    click.echo(make_key())


def _row(host: Mapping[str, Any], now: float) -> tuple[str, ...]:
    booted = host.get("booted")
    alive = host.get("alive") == "alive"
    return (
        words.text(host.get("host")) + (" (here)" if host.get("here") else ""),
        words.text(host.get("state") if alive else host.get("alive")),
        f"{words.age(now - booted)} ago" if isinstance(booted, int | float) else words.NOTHING,
        words.text(host.get("image")),
        words.text(bool(host.get("room"))) if alive else words.NOTHING,
        words.count(host.get("tasks")),
        words.text(host.get("api")),
    )
