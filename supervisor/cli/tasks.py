"""`isolated ps` and `isolated get`: what the host has."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click

from supervisor.cli import words
from supervisor.cli.options import TASK, as_json, on_host
from supervisor.cli.shapes import as_list, as_object, as_objects, joined
from supervisor.cli.tables import Column, show_pairs, show_table
from supervisor.printable import printable_lines

if TYPE_CHECKING:
    from supervisor.cli.client import Client

COLUMNS = (
    Column("TASK"),
    Column("STATE", whole=True),
    Column("LISTEN"),
    Column("HEAP", right=True),
    Column("CPU", right=True),
    Column("REQUESTS", right=True),
    Column("FAILED", right=True),
    Column("BOOTS", right=True),
    Column("LAST EXIT"),
)
EXIT_COLUMNS = (
    Column("ENDED"),
    Column("REASON"),
    Column("MEASURED", right=True),
    Column("LIMIT", right=True),
    Column("MESSAGE"),
)


@click.command(short_help="List the tasks of the host, or of its cluster.")
@as_json
@click.option("--ids", is_flag=True, help="Only the ids, one per line.")
@on_host
def ps(client: Client, *, as_json: bool, ids: bool) -> None:
    """Lists the tasks of the host, or of all hosts of its cluster: their states, what they use, how they last ended."""
    answer = client.ask("GET", "tasks", query={"everywhere": True})
    if answer.silent:
        click.echo(
            f"isolated: these hosts did not answer, their tasks are missing: {words.text(answer.silent)}", err=True
        )
    if as_json:
        click.echo(answer.text)
    elif ids:
        for task in answer.objects:
            click.echo(words.text(task.get("task")))
    elif tasks := answer.objects:
        now = time.time()
        if any(task.get("host") for task in tasks):
            columns = (COLUMNS[0], Column("HOST"), *COLUMNS[1:])
            rows = [_row(task, now) for task in tasks]
            show_table(
                columns,
                [(row[0], words.text(task.get("host")), *row[1:]) for row, task in zip(rows, tasks, strict=True)],
            )
        else:
            show_table(COLUMNS, [_row(task, now) for task in tasks])
    else:
        click.echo("no tasks; `isolated apply FILE` brings one", err=True)


@click.command(short_help="Show a task: state, isolate, last ends, settings.")
@click.argument("task", type=TASK)
@as_json
@on_host
def get(client: Client, task: str, *, as_json: bool) -> None:
    """Shows one task: its state, its isolate, how it ended the last times and why, and its settings."""
    answer = client.ask("GET", "tasks", task)
    if as_json:
        click.echo(answer.text)
        return
    found = answer.object
    show_pairs(_pairs(found))
    if ends := as_objects(found.get("exits")):
        click.echo()
        show_table(EXIT_COLUMNS, [_exit(end) for end in ends])
        _show_stack(ends[0])
    if found.get("spec") is not None:
        click.echo("\nsettings")
        for line in json.dumps(found["spec"], indent=2, ensure_ascii=False).split("\n"):
            click.echo("  " + words.text(line))


def _row(task: Mapping[str, Any], now: float) -> tuple[str, ...]:
    isolate = as_object(task.get("isolate"))
    ends = as_objects(task.get("exits"))
    last = (
        f"{words.text(ends[0].get('reason'))} {words.age(now - ends[0].get('time', now))} ago"
        if ends
        else words.text(_why_not(task))
    )
    return (
        words.text(task.get("task")),
        _state(task),
        joined(task.get("listen")) or words.NOTHING,
        words.size(isolate.get("heapUsed")),
        words.seconds(task.get("cpuS")),
        words.count(task.get("requests")),
        words.count(task.get("failures")),
        words.count(task.get("boots")),
        last,
    )


def _why_not(task: Mapping[str, Any]) -> object:
    """What keeps it from running."""
    if task.get("problem"):
        return task["problem"]
    return next(iter(as_list(task.get("warnings"))), "") if task.get("state") == "stranded" else ""


def _state(task: Mapping[str, Any]) -> str:
    wait = task.get("waitS")
    return words.text(task.get("state")) + ("" if wait is None else f" {words.age(wait)}")


def _pairs(task: Mapping[str, Any]) -> list[tuple[str, str]]:
    pairs = [
        ("task", words.text(task.get("task"))),
        *([("host", words.text(task.get("host")))] if task.get("host") else []),
        ("state", words.text(task.get("state"))),
        *([("but", words.text(task.get("problem")))] if task.get("problem") else []),
        ("wanted", words.text(task.get("wanted"))),
        ("applied", f"{words.moment(task.get('applied'))}, revision {words.count(task.get('revision'))}"),
        ("listens on", joined(task.get("listen")) or words.NOTHING),
        ("bundle", words.text(task.get("bundle"))),
        ("requests", f"{words.count(task.get('requests'))}, {words.count(task.get('failures'))} failed"),
        ("boots", words.count(task.get("boots"))),
        ("CPU time", words.seconds(task.get("cpuS"))),
    ]
    if task.get("throttledS"):
        pairs.append(("held back", f"{words.seconds(task['throttledS'])} for limits.cpu.quota"))
    if net := as_object(task.get("net")):
        pairs += [
            ("connections", f"{words.count(net.get('connections'))}, {words.count(net.get('refused'))} refused"),
            ("received", f"{words.size(net.get('received'))}, {words.seconds(net.get('pausedS'))} held back"),
            ("answered", words.size(net.get("sent"))),
        ]
    if egress := as_object(task.get("egress")):
        dropped = f"{words.count(egress.get('drops'))} packets dropped"
        held_back = f"{words.count(egress.get('waits'))} times held back"
        pairs.append(("sent", f"{words.size(egress.get('bytes'))} with headers, {dropped}, {held_back}"))
    pairs += [("not held", words.text(each)) for each in task.get("warnings") or ()]
    if task.get("waitS") is not None:
        pairs.append(("boots again in", words.seconds(task["waitS"])))
    if isolate := as_object(task.get("isolate")):
        heap = f"{words.size(isolate.get('heapUsed'))} of {words.size(isolate.get('heapTotal'))}"
        pairs += [
            ("isolate", words.text(isolate.get("state"))),
            ("  heap", f"{heap}, {words.size(isolate.get('externalUsed'))} outside"),
            ("  CPU time", words.seconds(isolate.get("cpuS"))),
            (
                "  open",
                f"{words.count(isolate.get('requestsOpen'))} requests, {words.count(isolate.get('timers'))} timers",
            ),
        ]
    return pairs


def _exit(end: Mapping[str, Any]) -> tuple[str, ...]:
    return (
        words.moment(end.get("time")),
        words.text(end.get("reason")),
        words.count(end.get("measured")),
        words.count(end.get("limit")),
        words.text(end.get("message")),
    )


def _show_stack(end: Mapping[str, Any]) -> None:
    if isinstance(stack := end.get("stack"), str) and stack:
        click.echo("\nstack of the last end")
        for line in printable_lines(stack.rstrip("\n")):
            click.echo("  " + line)
