"""What the host does for the cluster: boots and stops tasks, keeps records, holds bundles, says how it is."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from supervisor.cluster.peers.codec import record_document, record_from
from supervisor.cluster.ports import BootFailed, Kept
from supervisor.cluster.values import Capacity, Cause, Departure, HostState, Member, Record
from supervisor.errors import BootError, IsolatedError, Unknown
from supervisor.pool.states import TaskState
from supervisor.printable import on_one_line
from supervisor.spec.settings import HostSettings
from supervisor.state.records import StoredRecord
from supervisor.state.store import Store
from supervisor.telemetry.logs import host_log

if TYPE_CHECKING:
    from collections.abc import Callable

    from supervisor.cluster.membership import Membership
    from supervisor.cluster.peers.downloads import Downloads
    from supervisor.host.cluster.power import Power
    from supervisor.host.cluster.updates import Updates
    from supervisor.host.tasks import Tasks

AWAKE = (TaskState.RUNNING, TaskState.PENDING)


class HostLocal:
    """Implements the cluster's Local. Loop thread."""

    def __init__(
        self,
        settings: HostSettings,
        tasks: Tasks,
        store: Store,
        downloads: Downloads,
        membership: Membership,
        power: Power,
        updates: Updates,
        forget: Callable[[str], object],
    ) -> None:
        """`forget`: what else is known of a task that is not here any more, by its label."""
        self._settings = settings
        self._tasks = tasks
        self._store = store
        self._downloads = downloads
        self._membership = membership
        self._power = power
        self._updates = updates
        self._forget = forget
        self.on_told: Callable[[], object] = _nothing  # this host says something new about itself
        self.on_still_on: Callable[[float], object] = _nothing  # it left, and could not be switched off
        self._busy_at = asyncio.get_running_loop().time()

    def capacity(self) -> Capacity:
        """Of the settings; every core that isolates may use can be a task's own."""
        return Capacity(self._settings.memory, self._settings.isolates, self._tasks.cores().allowed)

    def idle_since(self) -> float | None:
        """A host is idle while all its tasks sleep: they can sleep elsewhere."""
        slots = (self._tasks.slot(label) for label in self._tasks.known)
        if any(slot is not None and slot.state in AWAKE for slot in slots):
            self._busy_at = asyncio.get_running_loop().time()
            return None
        return self._busy_at

    async def boot(self, record: Record, sources: Sequence[Member]) -> None:
        """Makes the task be as the record says. BootFailed."""
        try:
            if record.bundle is not None and (missed := await self._downloads.hold(record.bundle, sources)):
                raise BootFailed(f"it cannot get its bundle: {missed.why}")
            await self._tasks.resume(record.label)
            if not record.wanted:
                await self._tasks.keep_stopped(record.settings, record.bundle)
                return
            await self._tasks.apply(record.settings, record.bundle, dry_run=False)
            await self._tasks.start(record.label)
        except BootError as error:
            raise BootFailed(str(error), Cause.PROGRAM) from error
        except (IsolatedError, OSError) as error:
            raise BootFailed(on_one_line(str(error))) from error

    async def stop(self, label: str) -> None:
        """It is another host's, or nobody's."""
        try:
            await self._tasks.remove(label)
        except Unknown:
            return
        except IsolatedError as error:
            why = on_one_line(str(error))
            host_log().error("a task that is not this host's any more is still here", task=label, problem=why)
            return
        self._forget(label)

    async def hold_bundle(self, digest: str, sources: Sequence[Member], within_s: float | None = None) -> str | None:
        """Fetches it, if it is not here; a download that takes longer goes on. Why it is not here, or None."""
        try:
            async with asyncio.timeout(within_s):
                missed = await self._downloads.hold(digest, sources)
        except TimeoutError:
            return "it has not come in time"
        except (IsolatedError, OSError) as error:
            why = on_one_line(str(error))
            host_log().warning("a bundle cannot be kept", bundle=digest, problem=why)
            return why
        if missed is None:
            return None
        host_log().warning("a bundle cannot be had", bundle=digest, problem=missed.why)
        return missed.why

    async def load(self) -> Sequence[Kept]:
        """All records of the store; one that is damaged is told of and left out."""
        found: list[Kept] = []
        for stored in await self._store.records():
            try:
                record = None if stored.record is None else record_from(stored.record)
            except ValueError as error:
                host_log().error("a record of the cluster cannot be read", task=stored.label, problem=str(error))
                continue
            found.append(Kept(record, stored.label, stored.promised, stored.claimant))
        return found

    async def keep(self, kept: Kept) -> None:
        """On disk when it returns. StoreError."""
        document = None if kept.record is None else record_document(kept.record)
        await self._store.put_record(StoredRecord(kept.label, document, kept.promised, kept.claimant, time.time()))

    async def forget(self, label: str) -> None:
        """StoreError."""
        await self._store.remove_records([label])

    async def tell(self, state: HostState, *, room: bool) -> None:
        """By the host's tags."""
        self._membership.tell(state, room=room)
        self.on_told()

    async def note_update(self, image: str) -> None:
        """In the store. StoreError."""
        await self._updates.note(image)

    async def forget_update(self, image: str) -> None:
        """In the store. StoreError."""
        await self._updates.forget(image)

    async def leave(self) -> None:
        """Says goodbye."""
        await self._membership.leave()

    async def power_off(self, departure: Departure) -> None:
        """Switches the machine off. PowerOffFailed."""
        await self._power.off(departure)

    def come_back(self, stays_s: float) -> None:
        """By a coordinator and an agent in the place of those that left."""
        self.on_still_on(stays_s)

    async def wake_spare(self, spare: str) -> None:
        """BootFailed."""
        await self._power.wake(spare)


def _nothing(*_: object) -> None:
    """Nobody wants to know."""
