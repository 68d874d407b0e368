"""What a user asks of any host of a cluster, answered for all of them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from collections.abc import Set as AbstractSet
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

from supervisor.cluster.coordinator import Stranded
from supervisor.cluster.guardians import union
from supervisor.cluster.peers.fanout import all_tasks, ask_all, one_task
from supervisor.cluster.peers.merging import STRANDED
from supervisor.cluster.peers.wire import Reply
from supervisor.cluster.placing import NotPlaced, Placed
from supervisor.cluster.ports import Silent
from supervisor.cluster.values import Cause, HostState, Member, MemberState, Record
from supervisor.errors import BootError, Refused, Unknown
from supervisor.host.cluster.cluster import Cluster
from supervisor.host.cluster.wanted import wanted_record
from supervisor.host.tasks import Tasks
from supervisor.pool.states import TaskState
from supervisor.printable import on_one_line, shown
from supervisor.spec.difference import changed_fields
from supervisor.spec.task import TaskSpec
from supervisor.spec.views import AppliedView, Change, MemberView, TaskView


class Elsewhere:
    """The host that has a task, for requests to be passed on to it."""

    def __init__(self, cluster: Cluster, member: Member) -> None:
        self._cluster = cluster
        self._member = member

    @property
    def host(self) -> str:
        """Its id."""
        return self._member.id

    @asynccontextmanager
    async def follow(self, path: str) -> AsyncIterator[tuple[Reply, AsyncIterator[bytes]]]:
        """Its answer to GET `path` as it comes. Refused: it does not answer."""
        try:
            async with self._cluster.wire.follow(self._member, path, quiet_s=None) as answer:
                yield answer
        except Silent as error:
            raise Refused(f"the host that has the task does not answer: {error}", "ask again in a while") from error


class Everywhere:
    """Loop thread."""

    def __init__(self, cluster: Cluster, tasks: Tasks, here: Callable[[str], TaskView]) -> None:
        """`here`: a task of this host as it is shown; Unknown."""
        self._cluster = cluster
        self._tasks = tasks
        self._here = here
        self._calls = cluster.calls

    # -- changes ---------------------------------------------------------------------------------------------------

    async def apply(self, settings: Mapping[str, Any], bundle: str | None, *, dry_run: bool) -> AppliedView:
        """Places a task, or has its host change it. SettingsError, Unknown, BootError, Refused."""
        coordinator = self._cluster.part()
        spec = self._tasks.checked(settings, bundle)
        known = await coordinator.find(spec.label)
        plan = self._plan(spec, bundle, known)
        if dry_run or plan.change is Change.UNCHANGED:
            listen = plan.listen if dry_run else (await self._view(spec.label)).listen
            return plan.model_copy(update={"dry_run": dry_run, "listen": listen})
        wanted = True if known is None or not known.exists else known.wanted
        outcome = await coordinator.apply(wanted_record(spec, settings, bundle, wanted=wanted))
        record = await self._done(outcome, spec.label, known)
        listen = (await self._view(spec.label, record.owner)).listen
        return plan.model_copy(update={"dry_run": False, "listen": listen, "host": record.owner})

    async def want(self, label: str, *, wanted: bool) -> TaskView:
        """Starts or stops a task, wherever it is. Unknown, BootError, Refused."""
        coordinator = self._cluster.part()
        known = await self._find(label)
        if known.wanted is not wanted:
            known = await self._done(await coordinator.apply(replace(known, wanted=wanted)), label, known)
        return await self._view(label, known.owner)

    async def remove(self, label: str) -> None:
        """Ends a task for good, wherever it is. Unknown, Refused."""
        outcome = await self._cluster.part().remove(label)
        if outcome is None:
            raise _unknown(label)
        await self._done(outcome, label)

    # -- looking ---------------------------------------------------------------------------------------------------

    async def tasks(self, own: list[TaskView]) -> tuple[list[TaskView], tuple[str, ...]]:
        """The tasks of all hosts, and the hosts that did not answer. `own`: those of this one."""
        views, silent = await all_tasks(self._cluster.wire, (self._cluster.own.id, own), self._others())
        failed = (m.id for m in self._cluster.membership.members if m.alive is MemberState.FAILED)
        return views, tuple(sorted({*silent, *failed}))

    def own(self, here: Iterable[TaskView]) -> list[TaskView]:
        """The tasks that are `here`, and those that this host has by its records: they wait for their leases."""
        waiting, own = self._waiting(), self._cluster.own.id
        found = {label: _absent(record) for label, record in waiting.items()}
        for view in here:
            record = waiting.get(view.task)
            told = {} if record is None or not record.wanted else {"problem": _why_it_waits(record)}
            found[view.task] = view.model_copy(update={"host": own, **told})
        return [found[label] for label in sorted(found)]

    def stranded(self) -> list[TaskView]:
        """The tasks that this host guards, and that are on no host that is seen."""
        if self._cluster.coordinator is None:
            return []
        members = self._cluster.membership.members
        up = {m.id for m in members if m.alive is MemberState.ALIVE and m.state is HostState.UP}
        return [_stranded(each, up) for each in self._cluster.coordinator.stranded()]

    async def elsewhere(self, label: str) -> Elsewhere | None:
        """Who has a task that is not here; None: it is here. Unknown: it is nowhere."""
        if label in self._tasks.known or not self._cluster.is_part:
            return None
        record = await self._cluster.part().find(label)
        if record is None or not record.exists:
            raise _unknown(label)
        if record.owner == self._cluster.own.id:
            return None
        member = self._member(record.owner)
        if member is None:
            where = f"on host {record.owner}, which does not answer" if record.owner else "on no host at this moment"
            raise Refused(f"task {label} is {where}", "ask again in a while")
        return Elsewhere(self._cluster, member)

    async def hosts(self) -> list[MemberView]:
        """All hosts, newest first, each with how many tasks it has; None: it did not say."""

        async def count(member: Member) -> int:
            return len(await self._calls.records(member))

        found = await ask_all(self._others(), count)
        counts = {**found.answers, self._cluster.own.id: len(self._tasks.known)}
        members = sorted(self._cluster.membership.members, key=lambda member: (-member.boot_time, member.id))
        return [_view_of(member, counts.get(member.id), self._cluster.own.id) for member in members]

    async def forget(self, host: str) -> None:
        """Makes all hosts that are there forget one that failed or left. Unknown: this one did not know it. Refused."""
        member = next((each for each in self._cluster.membership.members if each.id == host), None)
        if member is not None and member.alive is MemberState.ALIVE:
            raise Refused(f"host {host} is alive", "only a host that failed or left can be forgotten")
        await self._cluster.membership.forget(host)
        if member is None:
            remedy = "`isolated hosts` lists those that are; who was away when a host was forgotten forgets it now"
            raise Unknown(f"there is no host {shown(host)} in the cluster", remedy)

    # -- inside ----------------------------------------------------------------------------------------------------

    def _waiting(self) -> dict[str, Record]:
        coordinator = self._cluster.coordinator
        return {} if coordinator is None else {record.label: record for record in coordinator.waiting()}

    def _others(self) -> list[Member]:
        own = self._cluster.own.id
        return [m for m in self._cluster.membership.members if m.alive is MemberState.ALIVE and m.id != own]

    def _member(self, host: str) -> Member | None:
        found = (m for m in self._cluster.membership.members if m.id == host and m.alive is MemberState.ALIVE)
        return next(found, None)

    async def _find(self, label: str) -> Record:
        found = await self._cluster.part().find(label)
        if found is None or not found.exists:
            raise _unknown(label)
        return found

    def _plan(self, spec: TaskSpec, bundle: str | None, known: Record | None) -> AppliedView:
        fields: tuple[str, ...] = ()
        change, restarts, host = Change.CREATED, False, None
        if known is not None and known.exists:
            fields = self._changed(spec, bundle, known)
            change, host = Change.CHANGED if fields else Change.UNCHANGED, known.owner
            restarts = bool(fields) and known.wanted
        listen = tuple(map(str, spec.listen))
        return AppliedView(
            task=spec.label, change=change, dry_run=True, fields=fields, restarts=restarts, listen=listen, host=host
        )

    def _changed(self, spec: TaskSpec, bundle: str | None, known: Record) -> tuple[str, ...]:
        """Bundles are compared by their digests: this host need not have the old one."""
        settings = dict(known.settings)
        if bundle is not None or known.bundle is not None:
            settings["pwd"] = spec.pwd
        fields = changed_fields(self._tasks.checked(settings, None), spec)
        return fields if bundle == known.bundle else (*(each for each in fields if each != "pwd"), "bundle")

    async def _done(self, outcome: Placed | NotPlaced, label: str, known: Record | None = None) -> Record:
        """`known`: the task as it was before."""
        if isinstance(outcome, Placed):
            return outcome.record
        if outcome.cause is Cause.PROGRAM:
            raise BootError(_told_of(label, outcome.problem, f"task {label} could not be started"))
        if outcome.cause is Cause.ROOM:
            owner = await self._still_on(label, known)
            where = f"stays as it was on host {owner}" if owner else "is on no host"
            raise Refused(f"task {label} {where}: {outcome.problem}", "`isolated hosts` shows which have room")
        raise Refused(_told_of(label, outcome.problem, f"task {label}"), "ask again when that has changed")

    async def _still_on(self, label: str, known: Record | None) -> str | None:
        """The host that has the task, as it says itself; None: none does, as far as is known."""
        if known is None or not known.exists:
            return None
        try:
            return (await self._view(label, known.owner)).host
        except Refused, Unknown:
            return None

    async def _view(self, label: str, owner: str | None = None) -> TaskView:
        """The task as its host shows it; what a host that does not answer would say is not known."""
        owner = owner or (await self._find(label)).owner
        if owner == self._cluster.own.id:
            return self._here(label).model_copy(update={"host": owner})
        member = self._member(owner)
        if member is None:
            where = f"host {owner}, which does not answer" if owner else "no host at this moment"
            raise Refused(f"task {label} is on {where}", "`isolated ps` shows what becomes of it")
        try:
            return await one_task(self._cluster.wire, member, label)
        except Silent as error:
            raise Refused(f"host {member.id} does not tell of task {label}: {error}", "ask again in a while") from error


def _told_of(label: str, problem: str, else_begins: str) -> str:
    """The problem of a task, which many begin with the task's name, or with `it` in its place."""
    if problem.startswith(f"task {label} "):
        return problem
    return f"task {label} {problem[3:]}" if problem.startswith("it ") else f"{else_begins}: {problem}"


def _stranded(task: Stranded, up: AbstractSet[str]) -> TaskView:
    """`up`: the hosts that could have it."""
    why = on_one_line(task.problem) or _why_stranded(task.record.needs.hosts, up)
    return _absent(task.record).model_copy(update={"state": STRANDED, "warnings": (why,), "problem": None})


def _absent(record: Record) -> TaskView:
    """A task of which there is but its record, as its host shows it."""
    listen = record.settings.get("listen")
    return TaskView(
        task=record.label,
        state=(TaskState.PENDING if record.wanted else TaskState.STOPPED).value,
        problem=_why_it_waits(record) if record.wanted else None,
        wanted=record.wanted,
        revision=record.revision,
        applied=0.0,
        listen=tuple(map(str, listen)) if isinstance(listen, list) else (),
        bundle=record.bundle,
        requests=0,
        failures=0,
        boots=0,
        cpu_s=0.0,
        host=record.owner or None,
    )


def _why_it_waits(record: Record) -> str:
    return f"it waits for the lease of its guardians: {', '.join(union(record))}"


def _why_stranded(hosts: tuple[str, ...] | None, up: AbstractSet[str]) -> str:
    """Of a task that may run on `hosts` only, before anybody tried to place it."""
    if hosts is None or not up.isdisjoint(hosts):
        return "it is to be placed on another host"
    return f"it may run on {', '.join(hosts)} only, which {'are' if len(hosts) > 1 else 'is'} not up"


def _view_of(member: Member, tasks: int | None, own: str) -> MemberView:
    now = asyncio.get_running_loop().time()
    return MemberView(
        host=member.id,
        here=member.id == own,
        alive=member.alive.value,
        state=member.state.value,
        room=member.room,
        image=member.image,
        booted=member.boot_time,
        since_s=max(0.0, now - member.since),
        api=member.api,
        tasks=tasks,
    )


def _unknown(label: str) -> Unknown:
    return Unknown(f"there is no task {shown(label)} in the cluster", "`isolated ps` lists those that are")
