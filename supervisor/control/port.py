"""What the control API asks of the host: implemented by the composition root."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any, Protocol

from supervisor.spec.events import Event
from supervisor.spec.views import (
    AppliedView,
    BlockView,
    HandoverView,
    HostView,
    LogChunk,
    LogLine,
    MemberView,
    TaskView,
)


class Head(Protocol):
    """How an answer of another host begins."""

    @property
    def status(self) -> int:
        """Of HTTP."""

    @property
    def media(self) -> str:
        """The type of what follows."""


class Elsewhere(Protocol):
    """Another host, for requests to be passed on to it. Loop thread."""

    @property
    def host(self) -> str:
        """Its id."""

    def follow(self, path: str) -> AbstractAsyncContextManager[tuple[Head, AsyncIterator[bytes]]]:
        """What it answers to GET `path`, as it comes. Refused: it does not answer, or breaks off."""


class HostControl(Protocol):
    """Loop thread. Refusals are ControlErrors (errors.py), which the API answers as problem+json."""

    async def apply(self, settings: Mapping[str, Any], *, bundle: str | None, dry_run: bool) -> AppliedView:
        """Makes a task be as `settings` say (a task file's content as an object). Idempotent.

        `bundle`: the digest of one that was uploaded; its unpacked folder is the task's pwd, and mainPath lies in it.
        SettingsError, BootError, ListenError, Unknown (the bundle), Refused.
        """

    def tasks(self) -> list[TaskView]:
        """All tasks of this host, by id, without their specs."""

    async def all_tasks(self) -> tuple[list[TaskView], tuple[str, ...]]:
        """All tasks of the cluster, by id, without their specs; and the ids of hosts that did not answer."""

    async def hosts(self) -> list[MemberView]:
        """The hosts of the cluster, newest first; without a cluster none."""

    async def forget_host(self, host: str) -> None:
        """Makes all hosts forget one that failed or left. Unknown, Refused."""

    async def elsewhere(self, label: str) -> Elsewhere | None:
        """The host that has a task, if it is not this one; None: it is here, or nowhere.

        Refused: nobody can say. Unknown: no host of the cluster has it.
        """

    def task(self, label: str) -> TaskView:
        """One with its spec. Unknown."""

    async def stop(self, label: str) -> TaskView:
        """Drains its isolate and closes its ports; it stays stopped across restarts. Idempotent. Unknown."""

    async def start(self, label: str) -> TaskView:
        """Boots a stopped task and opens its ports. Idempotent. Unknown, BootError, ListenError."""

    async def remove(self, label: str) -> None:
        """Stops and forgets it, with files of bundles that nobody else uses. Unknown."""

    def logs(self, label: str, tail: int) -> LogChunk:
        """The last `tail` lines. Unknown."""

    def follow_logs(self, label: str) -> AsyncIterator[LogLine]:
        """Lines from now on, until the task is removed or the iterator closed; a slow reader misses some. Unknown."""

    def events(self, after: int | None) -> AsyncIterator[Event]:
        """Events after that number that are still kept, then new ones as they come; None: only new ones."""

    def blocks(self) -> list[BlockView]:
        """Blocked scripts, oldest first."""

    async def release(self, which: str) -> list[BlockView]:
        """Lifts the blocks of sources (a hash, or its beginning of at least 8 digits) or of a task. Unknown."""

    async def status(self) -> HostView:
        """The host."""

    async def drain(self) -> None:
        """Asks the host to stop as SIGTERM does; returns at once."""

    async def upgrade(self, binary: str | None) -> HandoverView:
        """Hands over to a fresh process, of another binary if one is given. HandoverFailed, Refused."""

    async def add_bundle(self, archive: Path) -> str:
        """Checks and stores an uploaded archive, which it may move away; returns its digest. BundleRefused."""

    def has_bundle(self, digest: str) -> bool:
        """Whether it is stored already."""

    def metrics(self) -> str:
        """Prometheus text format 0.0.4."""
