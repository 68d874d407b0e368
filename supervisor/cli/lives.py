"""`isolated stop`, `start` and `rm`: several tasks at a time, each for itself."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

import click

from supervisor.cli import words
from supervisor.cli.options import TASK, as_json, on_host
from supervisor.cli.progress import waiting
from supervisor.cli.shapes import joined
from supervisor.cli.times import LONG_S
from supervisor.errors import IsolatedError

if TYPE_CHECKING:
    from supervisor.cli.client import Answer, Client

some_tasks = click.argument("tasks", metavar="TASK…", type=TASK, nargs=-1, required=True)


@click.command(short_help="Stop tasks until they are started again.")
@some_tasks
@as_json
@on_host
def stop(client: Client, tasks: tuple[str, ...], *, as_json: bool) -> None:
    """Answers what is under way, ends the isolates and closes the ports. They stay stopped when the host restarts."""

    def one(task: str) -> None:
        with waiting(f"{task}: answering what is under way"):
            answer = client.ask("POST", "tasks", task, "stop", timeout_s=LONG_S)
        _show(task, answer, as_json=as_json)

    each_of(tasks, one)


@click.command(short_help="Start tasks that were stopped.")
@some_tasks
@as_json
@on_host
def start(client: Client, tasks: tuple[str, ...], *, as_json: bool) -> None:
    """Boots stopped tasks and opens their ports."""

    def one(task: str) -> None:
        with waiting(f"{task}: starting"):
            answer = client.ask("POST", "tasks", task, "start", timeout_s=LONG_S)
        _show(task, answer, as_json=as_json)

    each_of(tasks, one)


@click.command(short_help="Stop tasks and forget them.")
@some_tasks
@click.option("--yes", "-y", is_flag=True, help="Do not ask.")
@on_host
def rm(client: Client, tasks: tuple[str, ...], *, yes: bool) -> int | None:
    """Stops tasks and forgets them, their settings, and the files of their bundles."""
    if not yes:
        if not sys.stdin.isatty():
            raise click.UsageError("there is nobody to ask whether to remove them; say --yes")
        if not click.confirm(f"Remove {', '.join(tasks)}?", err=True):
            click.echo("nothing was removed", err=True)
            return 1

    def one(task: str) -> None:
        with waiting(f"{task}: answering what is under way"):
            client.ask("DELETE", "tasks", task, timeout_s=LONG_S)
        click.echo(f"{task}: removed")

    each_of(tasks, one)
    return None


def each_of[T](things: Iterable[T], act: Callable[[T], None]) -> None:
    """Acts on each, also after one failed; raises what failed, alone or as a group."""
    errors = []
    for thing in things:
        try:
            act(thing)
        except IsolatedError as error:
            errors.append(error)
    if len(errors) == 1:
        raise errors[0]
    if errors:
        raise ExceptionGroup("some failed", errors)


def _show(task: str, answer: Answer, *, as_json: bool) -> None:
    if as_json:
        click.echo(answer.text)
        return
    found = answer.object
    listen = joined(found.get("listen"))
    click.echo(f"{task}: {words.text(found.get('state'))}" + (f", listens on {listen}" if listen else ""))
