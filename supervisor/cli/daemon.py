"""`isolated status`, `drain` and `upgrade`: the host itself."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click

from supervisor.cli import words
from supervisor.cli.address import SocketAddress
from supervisor.cli.codes import HostBusy, HostFailed, HostUnreachable
from supervisor.cli.options import as_json, on_host
from supervisor.cli.progress import waiting
from supervisor.cli.shapes import as_list, as_object, as_objects
from supervisor.cli.tables import Column, show_pairs, show_table
from supervisor.cli.times import LONG_S
from supervisor.errors import Problem, SettingsError
from supervisor.printable import shown
from supervisor.spec.enforcement import Enforcement, in_words

if TYPE_CHECKING:
    from supervisor.cli.client import Client

POLL_S = 0.2
SIZES = ("memory",)  # limits that count bytes
LIMIT_COLUMNS = (Column("LIMIT"), Column("USED", right=True), Column("OF", right=True), Column("REFUSED", right=True))
ENFORCED_COLUMNS = (Column("LIMIT", whole=True), Column("HELD BY"))


@click.command(short_help="Show how the host is.")
@as_json
@on_host
def status(client: Client, *, as_json: bool) -> None:
    """Shows the host: its tasks, what it uses of its limits, what it lost, what it can hold tasks to, and what should
    be mended.
    """
    answer = client.ask("GET", "status")
    if as_json:
        click.echo(answer.text)
        return
    host = answer.object
    show_pairs(_pairs(host))
    if limits := as_object(host.get("limits")):
        click.echo()
        show_table(LIMIT_COLUMNS, [_limit(name, as_object(value)) for name, value in limits.items()])
    if enforces := as_objects(host.get("enforces")):
        click.echo()
        show_table(ENFORCED_COLUMNS, [_enforced(each) for each in enforces])
    for advice in as_list(host.get("advice")):
        click.echo(f"\nadvice: {words.text(advice)}")


@click.command(short_help="Ask the host to end in good order.")
@click.option("--wait", is_flag=True, help="Return when its process is gone.")
@on_host
def drain(client: Client, *, wait: bool) -> None:
    """Asks the host to stop accepting, answer what is under way and exit, as SIGTERM does.

    A service manager may start it again at once; `systemctl stop isolated` or `rc-service isolated stop` does not.
    """
    pid = client.ask("GET", "status").object.get("pid") if wait else None
    client.ask("POST", "drain")
    if wait:
        with waiting("answering what is under way"):
            _wait_for_the_end(client, pid)
    click.echo("the host has ended" if wait else "the host drains")


@click.command(short_help="Hand over to a fresh process, without a failed request.")
@click.argument("binary", required=False, type=click.Path())
@as_json
@on_host
def upgrade(client: Client, binary: str | None, *, as_json: bool) -> None:
    """Replaces the host's process by a fresh one: of BINARY on the host, or of the same program as now.

    The fresh one gets the ports and boots the tasks, then the old one answers what it has and exits. If the fresh one
    does not become ready, the old one goes on, and says why.
    """
    with waiting("handing over"):
        answer = client.ask("POST", "upgrade", body={"binary": _on_host(client, binary)}, timeout_s=LONG_S)
    if as_json:
        click.echo(answer.text)
        return
    found = answer.object
    told = f"{words.count(found.get('tasks'))} tasks and {words.count(found.get('sockets'))} sockets"
    click.echo(f"handed over {told} to process {words.count(found.get('pid'))} in {words.seconds(found.get('tookS'))}")


def _on_host(client: Client, binary: str | None) -> str | None:
    """The path as the host has to know it: by a socket it is this machine."""
    if binary is None:
        return None
    if isinstance(client.way.address, SocketAddress):
        path = os.path.abspath(binary)
        if not os.access(path, os.X_OK) or os.path.isdir(path):
            raise _wrong_binary(binary, "there is no such program", "check the path, and that it may be executed")
        return path
    if not binary.startswith("/"):
        raise _wrong_binary(binary, "not an absolute path", "name it as the host knows it, from / on")
    return binary


def _wrong_binary(binary: str, message: str, remedy: str) -> SettingsError:
    return SettingsError([Problem(message, remedy, field="BINARY", value=shown(binary))])


def _wait_for_the_end(client: Client, pid: object) -> None:
    for _ in range(int(LONG_S / POLL_S)):
        try:
            if client.ask("GET", "status").object.get("pid") != pid:
                return
        except HostBusy:
            pass
        except HostUnreachable:
            return
        time.sleep(POLL_S)
    raise HostFailed(f"the host did not end within {LONG_S:g} s", "`isolated status` shows what it does")


def _pairs(host: Mapping[str, Any]) -> list[tuple[str, str]]:
    tasks = host.get("tasks")
    states = ", ".join(
        f"{words.count(number)} {words.text(state)}" for state, number in as_object(tasks).items() if number
    )
    cluster = [("in the cluster", words.text(host["host"]))] if host.get("host") else []
    if host.get("cluster"):
        cluster.append(("but", words.lines(host["cluster"])))
    return [
        ("host", words.text(host.get("state"))),
        *cluster,
        ("version", words.text(host.get("version"))),
        ("process", f"{words.count(host.get('pid'))}, since {words.moment(host.get('started'))}"),
        ("hand-overs", words.count(host.get("handovers"))),
        ("tasks", states or "none"),
        ("memory", f"{words.size(host.get('rss'))}, of it {words.size(host.get('accounted'))} in living isolates"),
        ("parked", f"{words.count(host.get('parked'))} threads, {words.count(host.get('faults'))} of them by faults"),
        ("loop lag", f"{words.seconds(host.get('loopLagS'))} (p99 of the last minute)"),
    ]


def _enforced(value: Mapping[str, Any]) -> tuple[str, str]:
    told = {name: words.text(value[name]) for name in ("how", "problem", "remedy") if value.get(name)}
    limit = words.text(value.get("limit"))
    return limit, in_words(Enforcement(limit, told.get("how"), told.get("problem", ""), told.get("remedy", "")))


def _limit(name: str, value: Mapping[str, Any]) -> tuple[str, ...]:
    tell = words.size if name in SIZES else words.count
    limit = "unlimited" if value.get("limit") is None else tell(value["limit"])
    return words.text(name), tell(value.get("used")), limit, words.count(value.get("refused"))
