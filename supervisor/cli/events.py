"""`isolated events`: what happens on the host, as it happens."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import click

from supervisor.cli import words
from supervisor.cli.following import following
from supervisor.cli.options import TASK, as_json, on_host
from supervisor.cli.shapes import parsed
from supervisor.cli.sse import Message, messages
from supervisor.cli.tables import show_line

if TYPE_CHECKING:
    from supervisor.cli.client import Client

STYLES = {"blocked": "red", "exit": "yellow", "late": "yellow", "handover": "cyan", "host": "cyan"}


@click.command(short_help="Show what happens on the host, as it happens.")
@click.option("--after", type=click.IntRange(0), metavar="N", help="Begin behind event N, if it is still kept; 0: all.")
@click.option("--task", type=TASK, help="Only those of this task.")
@as_json
@on_host
def events(client: Client, after: int | None, task: str | None, *, as_json: bool) -> None:
    """Shows every change of a task's state, every end, every hand-over, until Ctrl-C."""
    for message in following(_Connections(client, after)):
        event = parsed(message.data)
        if task is not None and event.get("task") != task:
            continue
        click.echo(message.data) if as_json else _show(event)


class _Connections:
    """Connects behind the last event that was seen."""

    def __init__(self, client: Client, after: int | None) -> None:
        self._client = client
        self._after = after
        self._last_id: str | None = None

    def __call__(self) -> Iterator[Message]:
        headers = {"Accept": "text/event-stream"}
        if self._last_id is not None:
            headers["Last-Event-ID"] = self._last_id
        with self._client.follow("events", query={"after": self._after}, headers=headers) as lines:
            for message in messages(lines):
                if message.id is not None and message.id.isdecimal() and message.id.isascii():
                    self._last_id = message.id
                yield message


def _show(event: Mapping[str, Any]) -> None:
    kind = words.text(event.get("kind"))
    show_line(
        (words.clock(event.get("time")), "dim"),
        (words.count(event.get("number")), "dim"),
        (f"{kind:8}", STYLES.get(kind, "")),
        (words.text(event.get("task")), ""),
        (words.text(event.get("message")), ""),
    )
