"""The same question to many hosts at once, and their answers together: who does not answer is named."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Any

from supervisor.cluster.peers.merging import Gathered, TaskLine, merge_tasks
from supervisor.cluster.peers.wire import Wire
from supervisor.cluster.ports import Silent
from supervisor.cluster.values import Member

AT_ONCE = 64  # of 1,000 hosts: 16 rounds; each holds a connection and a buffer meanwhile
TASKS_S = 4.0


async def ask_all[T](
    members: Iterable[Member], ask: Callable[[Member], Awaitable[T]], *, at_once: int = AT_ONCE
) -> Gathered[T]:
    """What each of `members` answers to `ask`, `at_once` at a time; those for which it raises Silent are silent."""
    gate = asyncio.Semaphore(at_once)
    answers: dict[str, T] = {}
    silent: list[str] = []

    async def one(member: Member) -> None:
        async with gate:
            try:
                answers[member.id] = await ask(member)
            except Silent:
                silent.append(member.id)

    async with asyncio.TaskGroup() as group:
        for member in members:
            group.create_task(one(member))
    return Gathered(answers, tuple(sorted(silent)))


async def all_tasks(
    wire: Wire, own: tuple[str, Sequence[Mapping[str, Any]]], members: Iterable[Member], *, within_s: float = TASKS_S
) -> tuple[list[TaskLine], tuple[str, ...]]:
    """The tasks of the cluster, by label, and the hosts that did not tell theirs.

    `own`: this host's id and its tasks, which nobody need be asked for.
    """

    async def ask(member: Member) -> list[Mapping[str, Any]]:
        reply = await wire.ask(member, "GET", "/v1/tasks", within_s=within_s)
        return _tasks(member, reply.document() if reply.went_well else None)

    host, tasks = own
    found = await ask_all((member for member in members if member.id != host), ask)
    return merge_tasks({**found.answers, host: tasks}), found.silent


def _tasks(member: Member, document: object) -> list[Mapping[str, Any]]:
    if not isinstance(document, list) or not all(
        isinstance(each, dict) and isinstance(each.get("task"), str) for each in document
    ):
        raise Silent(f"{member.id} does not answer with a list of tasks")
    return document
