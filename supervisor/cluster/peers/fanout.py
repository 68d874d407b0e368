"""The same question to many hosts at once, and their answers together: who does not answer is named."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from urllib.parse import quote

from pydantic import TypeAdapter

from supervisor.cluster.peers.merging import Gathered, merge_tasks
from supervisor.cluster.peers.wire import Reply, Wire
from supervisor.cluster.ports import Silent
from supervisor.cluster.values import Member
from supervisor.spec.views import TaskView

AT_ONCE = 64  # of 1,000 hosts: 16 rounds; each holds a connection and a buffer meanwhile
TASKS_S = 4.0  # for what a host knows by heart
_TASK: TypeAdapter[TaskView] = TypeAdapter(TaskView)
_TASKS: TypeAdapter[list[TaskView]] = TypeAdapter(list[TaskView])


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
    wire: Wire, own: tuple[str, Sequence[TaskView]], members: Iterable[Member], *, within_s: float = TASKS_S
) -> tuple[list[TaskView], tuple[str, ...]]:
    """The tasks of the cluster, by label, and the hosts that did not tell theirs.

    `own`: this host's id and its tasks, which nobody need be asked for.
    """

    async def ask(member: Member) -> list[TaskView]:
        return _read(member, await wire.ask(member, "GET", "/v1/tasks", within_s=within_s), _TASKS)

    host, tasks = own
    found = await ask_all((member for member in members if member.id != host), ask)
    return merge_tasks({**found.answers, host: tasks}), found.silent


async def one_task(wire: Wire, member: Member, label: str, *, within_s: float = TASKS_S) -> TaskView:
    """A task as the host that has it shows it. Silent."""
    reply = await wire.ask(member, "GET", f"/v1/tasks/{quote(label)}", within_s=within_s)
    return _read(member, reply, _TASK).model_copy(update={"host": member.id})


def _read[T](member: Member, reply: Reply, kind: TypeAdapter[T]) -> T:
    """What a host tells; fields of a newer one are passed over. Whoever tells something else is as good as silent."""
    if not reply.went_well:
        raise Silent(f"{member.id}: {reply.problem}")
    try:
        return kind.validate_python(reply.document(), extra="ignore", by_alias=True, by_name=False)
    except ValueError as error:  # which a ValidationError is
        raise Silent(f"{member.id} does not answer with tasks as this host knows them") from error
