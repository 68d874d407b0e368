"""`isolated logs`: what a task writes, and what the host says about it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import click

from supervisor.cli import words
from supervisor.cli.codes import UnknownToHost
from supervisor.cli.following import following
from supervisor.cli.options import TASK, as_json, on_host
from supervisor.cli.shapes import as_objects, parsed
from supervisor.cli.tables import show_line

if TYPE_CHECKING:
    from supervisor.cli.client import Client

TAIL = 100
KEPT = 1000  # lines that a host keeps per task


@click.command(short_help="Show what a task writes.")
@click.argument("task", type=TASK)
@click.option("--follow", "-f", is_flag=True, help="Go on with new lines until Ctrl-C, or until the task is removed.")
@click.option(
    "--lines", "-n", type=click.IntRange(0, KEPT), default=TAIL, show_default=True, help="How many of the last lines."
)
@as_json
@on_host
def logs(client: Client, task: str, *, follow: bool, lines: int, as_json: bool) -> None:
    """Shows the last lines that a task wrote to its console, and what the host said about it."""
    if follow:
        for line in _followed(client, task, lines):
            click.echo(line) if as_json else _show(parsed(line))
        return
    answer = client.ask("GET", "tasks", task, "logs", query={"tail": lines})
    if as_json:
        click.echo(answer.text)
        return
    chunk = answer.object
    if dropped := chunk.get("dropped"):
        click.echo(f"{words.count(dropped)} lines before these are not kept any more", err=True)
    for value in as_objects(chunk.get("lines")):
        _show(value)


def _followed(client: Client, task: str, tail: int) -> Iterator[str]:
    """Lines as JSON, without those that a connection before this one has told already."""
    last = 0.0
    connected = False

    def connect() -> Iterator[str]:
        nonlocal last, connected
        wanted = KEPT if connected else tail
        with client.follow("tasks", task, "logs", query={"tail": wanted, "follow": True}) as lines:
            again, connected = connected, True
            before = last
            for line in lines:
                time = parsed(line).get("time")
                if isinstance(time, int | float):
                    if again and time <= before:
                        continue
                    last = max(last, time)
                if line.strip():
                    yield line.decode(errors="replace")

    try:
        yield from following(connect)
    except UnknownToHost:
        if not connected:
            raise
        click.echo(f"{task} was removed", err=True)


def _show(value: Mapping[str, Any]) -> None:
    level, text = words.text(value.get("level")), value.get("text")
    parts = [(words.clock(value.get("time")), "dim"), (f"{level:7}", level)]
    if value.get("source") == "host":
        parts.append(("isolated:", "dim"))
    parts.append(("" if text == "" else words.text(text), ""))
    if value.get("request"):
        parts.append((f"[{words.text(value['request'])}]", "dim"))
    show_line(*parts)
