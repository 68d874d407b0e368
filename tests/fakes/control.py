"""A host for the control API: tasks in memory, refusals as the real one's, and everything that was asked."""

from __future__ import annotations

import asyncio
import hashlib
import os
from collections.abc import AsyncGenerator, Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from supervisor.control.port import Elsewhere
from supervisor.errors import BundleRefused, HandoverFailed, SettingsError, Unknown
from supervisor.spec.events import Event, EventKind
from supervisor.spec.problems import problems_of
from supervisor.spec.task import TaskSpec
from supervisor.spec.views import (
    AppliedView,
    BlockView,
    Change,
    EnforcementView,
    ExitView,
    HandoverView,
    HostView,
    IsolateView,
    LimitView,
    LogChunk,
    LogLine,
    MemberView,
    TaskView,
)

NOW = 1_800_000_000.0
SOURCES = "0123456789abcdef" * 4
ENFORCES = (
    EnforcementView(limit="limits.cpu.quota", how="cgroup v2"),
    EnforcementView(limit="limits.net.egress", how=None, problem="no CAP_NET_ADMIN", remedy="start it as root"),
)


class Feed[T]:
    """Who follows something: all that is told from the call of follow() on."""

    def __init__(self) -> None:
        self.followers: list[asyncio.Queue[T | None]] = []

    def tell(self, item: T) -> None:
        for queue in self.followers:
            queue.put_nowait(item)

    def end(self) -> None:
        for queue in self.followers:
            queue.put_nowait(None)

    def follow(self) -> AsyncGenerator[T]:
        queue: asyncio.Queue[T | None] = asyncio.Queue()
        self.followers.append(queue)
        return self._items(queue)

    async def _items(self, queue: asyncio.Queue[T | None]) -> AsyncGenerator[T]:
        try:
            while (item := await queue.get()) is not None:
                yield item
        finally:
            self.followers.remove(queue)


class FakeHost:
    """A HostControl. `fail`: raised by the next call of anything. `gate`: apply waits for it."""

    def __init__(self) -> None:
        self.specs: dict[str, TaskSpec] = {}
        self.stopped: set[str] = set()
        self.bundles: set[str] = set()
        self.lines: dict[str, list[LogLine]] = {}
        self.feeds: dict[str, Feed[LogLine]] = {}
        self.told = Feed[Event]()
        self.kept: list[Event] = []
        self.blocked = [BlockView(sources=SOURCES, task="loop", reason="unresponsive", since=NOW, until=NOW + 3600)]
        self.calls: list[tuple[Any, ...]] = []
        self.fail: BaseException | None = None
        self.fail_bundle: OSError | None = None
        self.gate: asyncio.Event | None = None
        self.members = [
            MemberView(
                host="h1", here=False, alive="failed", state="up", room=True, image="", booted=NOW, since_s=1.5,
                api="10.0.0.1:7443", tasks=None,
            )
        ]  # fmt: skip
        self.far: list[TaskView] = []  # tasks of other hosts
        self.silent: tuple[str, ...] = ()
        self.others: dict[str, Elsewhere] = {}  # who has a task that is not here
        self.state = "ready"
        self.draining = False

    async def apply(self, settings: Mapping[str, Any], *, bundle: str | None, dry_run: bool) -> AppliedView:
        self._called("apply", dict(settings), bundle, dry_run)
        fields = {name: value for name, value in settings.items() if name != "$schema"}
        try:
            spec = TaskSpec.model_validate({"pwd": "/apps"} | fields, by_alias=True, by_name=False)
        except ValidationError as error:
            raise SettingsError(problems_of(error, TaskSpec)) from None
        if self.gate is not None:
            await self.gate.wait()
        before = self.specs.get(spec.label)
        change = Change.CREATED if before is None else Change.UNCHANGED if before == spec else Change.CHANGED
        if not dry_run:
            self.specs[spec.label] = spec
            self.lines.setdefault(spec.label, [])
            self.feeds.setdefault(spec.label, Feed())
        return AppliedView(
            task=spec.label, change=change, dry_run=dry_run, fields=(), restarts=False,
            listen=tuple(map(str, spec.listen)),
        )  # fmt: skip

    def tasks(self) -> list[TaskView]:
        self._called("tasks")
        return [self._view(label) for label in sorted(self.specs)]

    async def all_tasks(self) -> tuple[list[TaskView], tuple[str, ...]]:
        return [*self.tasks(), *self.far], self.silent

    async def hosts(self) -> list[MemberView]:
        self._called("hosts")
        return self.members

    async def forget_host(self, host: str) -> None:
        self._called("forget_host", host)
        if host not in {each.host for each in self.members}:
            raise Unknown(f"there is no host {host}", "look")

    async def elsewhere(self, label: str) -> Elsewhere | None:
        return self.others.get(label)

    def task(self, label: str) -> TaskView:
        self._called("task", label)
        self._known(label)
        return self._view(label).model_copy(update={"spec": self.specs[label].document()})

    async def stop(self, label: str) -> TaskView:
        self._called("stop", label)
        self._known(label)
        self.stopped.add(label)
        return self.task(label)

    async def start(self, label: str) -> TaskView:
        self._called("start", label)
        self._known(label)
        self.stopped.discard(label)
        return self.task(label)

    async def remove(self, label: str) -> None:
        self._called("remove", label)
        self._known(label)
        del self.specs[label], self.lines[label]
        self.feeds.pop(label).end()

    def logs(self, label: str, tail: int) -> LogChunk:
        self._called("logs", label, tail)
        self._known(label)
        lines = self.lines[label]
        return LogChunk(lines=tuple(lines[len(lines) - min(tail, len(lines)) :]), dropped=max(0, len(lines) - tail))

    def follow_logs(self, label: str) -> AsyncGenerator[LogLine]:
        self._called("follow_logs", label)
        self._known(label)
        return self.feeds[label].follow()

    def say(self, label: str, text: str) -> None:
        """The task writes a line."""
        line = LogLine(time=NOW, level="info", source="console", text=text)
        self.lines[label].append(line)
        self.feeds[label].tell(line)

    def events(self, after: int | None) -> AsyncGenerator[Event]:
        self._called("events", after)
        missed = [event for event in self.kept if after is not None and event.number > after]
        events = self.told.follow()
        for event in missed:
            self.told.followers[-1].put_nowait(event)
        return events

    def happen(self, message: str) -> Event:
        """Something happens."""
        event = Event(number=len(self.kept) + 1, time=NOW, kind=EventKind.HOST, message=message, details={"a": "\n"})
        self.kept.append(event)
        self.told.tell(event)
        return event

    def blocks(self) -> list[BlockView]:
        self._called("blocks")
        return list(self.blocked)

    async def release(self, which: str) -> list[BlockView]:
        self._called("release", which)
        found = [block for block in self.blocked if which == block.task or block.sources.startswith(which)]
        if not found:
            raise Unknown(f"nothing is blocked by {which}")
        self.blocked = [block for block in self.blocked if block not in found]
        return found

    async def status(self) -> HostView:
        self._called("status")
        return HostView(
            pid=os.getpid(), version="0", started=NOW, state=self.state, tasks={"running": len(self.specs)},
            limits={"isolates": LimitView(used=1, limit=None)}, rss=1, accounted=1, parked=0, faults=0,
            loop_lag_s=0.001, handovers=0, enforces=ENFORCES,
        )  # fmt: skip

    async def drain(self) -> None:
        self._called("drain")
        self.draining = True

    async def upgrade(self, binary: str | None) -> HandoverView:
        self._called("upgrade", binary)
        if binary is not None:
            raise HandoverFailed(f"{binary} did not become ready")
        return HandoverView(pid=2, tasks=len(self.specs), sockets=1, took_s=0.5)

    async def add_bundle(self, archive: Path) -> str:
        self._called("add_bundle", archive)
        if self.fail_bundle is not None:
            raise self.fail_bundle
        data = archive.read_bytes()
        if not data:
            raise BundleRefused("the archive is empty")
        digest = hashlib.sha256(data).hexdigest()
        self.bundles.add(digest)
        archive.unlink()
        return digest

    def has_bundle(self, digest: str) -> bool:
        self._called("has_bundle", digest)
        return digest in self.bundles

    def metrics(self) -> str:
        self._called("metrics")
        return "isolated_tasks 0\n"

    def asked(self, name: str) -> list[tuple[Any, ...]]:
        """The arguments of all calls of `name`."""
        return [call[1:] for call in self.calls if call[0] == name]

    def _called(self, *call: Any) -> None:
        self.calls.append(call)
        if self.fail is not None:
            error, self.fail = self.fail, None
            raise error

    def _known(self, label: str) -> None:
        if label not in self.specs:
            raise Unknown(f"there is no task {label}", "`isolated ps` lists them")

    def _view(self, label: str) -> TaskView:
        stopped = label in self.stopped
        isolate = IsolateView(
            state="ready", heap_used=1, heap_total=2, external_used=0, cpu_s=0.1, requests_open=0, timers=0
        )
        return TaskView(
            task=label, state="stopped" if stopped else "running", wanted=not stopped, revision=1, applied=NOW,
            listen=tuple(map(str, self.specs[label].listen)), isolate=None if stopped else isolate, requests=0,
            failures=0, boots=1, cpu_s=0.1,
            exits=(ExitView(time=NOW, reason="heap-limit", message="too large", limit=1.0, measured=2.0),),
        )  # fmt: skip
