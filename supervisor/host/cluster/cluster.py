"""This host's part in its cluster, from the first question to the last goodbye."""

from __future__ import annotations

import asyncio
import contextlib
import random
import ssl
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Self

from supervisor.cluster.coordinator import Coordinator
from supervisor.cluster.keys import ClusterKey, read_keys
from supervisor.cluster.peers.answering import Answering
from supervisor.cluster.peers.calls import PeerCalls
from supervisor.cluster.peers.downloads import DownloadOptions, Downloads
from supervisor.cluster.peers.psk import KeyRing
from supervisor.cluster.peers.wire import Wire
from supervisor.cluster.scheduler import AsyncioScheduler
from supervisor.cluster.serf import SerfMembership, SerfOptions
from supervisor.cluster.values import Member, MemberState
from supervisor.cluster.view import View
from supervisor.errors import IsolatedError, Refused
from supervisor.host.cluster.figures import figures_of
from supervisor.host.cluster.identity import gossip_address
from supervisor.host.cluster.local import HostLocal
from supervisor.host.cluster.power import Power
from supervisor.host.cluster.updates import Updates
from supervisor.host.cluster.wanted import rules_of, wanted_record
from supervisor.printable import on_one_line
from supervisor.spec.events import EventKind
from supervisor.spec.settings import HostSettings
from supervisor.state.bundles import Bundles
from supervisor.state.store import Store
from supervisor.telemetry.figures import ClusterFigures
from supervisor.telemetry.journal import Journal
from supervisor.telemetry.logs import host_log

if TYPE_CHECKING:
    from collections.abc import Callable

    from supervisor.host.tasks import Tasks

AGENT_FOLDER = "serf"  # below the state's folder
LEVELS = {
    "defect": "error",
    "still-on": "error",
    "restart-failed": "warning",
    "boot-failed": "warning",
    "wake-failed": "warning",
    "still-needed": "warning",
    "waits-for-lease": "warning",
}
AGAIN_S = 30.0
FIRST_LOOK_S = 3.0  # for the agent's first list of members; a host that is alone goes on then


class Cluster:
    """Async context around all of it; begin() is when the host takes part. Loop thread; entered once."""

    def __init__(self, settings: HostSettings, own: Member, store: Store, bundles: Bundles, journal: Journal) -> None:
        """SettingsError: the file of keys."""
        assert settings.cluster_key_file is not None, "the settings are checked as a whole"
        self._settings = settings
        self._store = store
        self._bundles = bundles
        self._journal = journal
        self._key_file = settings.cluster_key_file
        self._power = Power(settings)
        self._power.check()
        keys = read_keys(self._key_file)
        self._ring = KeyRing(keys)
        self.own = own
        self.wire = Wire(self._ring)
        self.calls = PeerCalls(self.wire, me=own.id)
        self._happened: Counter[str] = Counter()
        self._keys = keys
        self.membership = self._new_membership()
        self.coordinator: Coordinator | None = None
        self._seen = asyncio.Event()  # the members, as the cluster has them now
        self._stack = AsyncExitStack()
        self._part = AsyncExitStack()  # what ends when another process goes on
        self._coming_back: asyncio.Task[None] | None = None
        self._tasks: Tasks
        self._forget: Callable[[str], object]

    def join(self, tasks: Tasks, forget: Callable[[str], object]) -> None:
        """Gets to know the tasks, which are made after it."""
        self._tasks = tasks
        self._forget = forget
        tasks.keeps_bundles = self._guarded_bundles

    async def __aenter__(self) -> Self:
        await self._stack.enter_async_context(self.wire)
        return self

    async def __aexit__(self, *exception: object) -> None:
        await self.end_part()
        await self._stack.aclose()

    @property
    def tls(self) -> ssl.SSLContext:
        """For the peer door."""
        return self._ring.server_context()

    @property
    def is_part(self) -> bool:
        """Whether begin() is done, and end_part() is not."""
        return self.coordinator is not None

    @property
    def door(self) -> Answering:
        """What answers to peers. Refused: the host does not take part yet, or not any more."""
        return Answering(self._part_of_it().door, self.open_bundle)

    def part(self) -> Coordinator:
        """The cluster's rules at work, for users. Refused: not yet, or not any more, or this host is an impostor."""
        part = self._part_of_it()
        if part.is_gone:
            raise Refused("this host has left its cluster, and is about to be switched off", "ask another host of it")
        return part

    def _part_of_it(self) -> Coordinator:
        if self.membership.is_refused:
            raise Refused(
                f"another host of the cluster has the id {self.own.id}, too", "give each host a `hostId` of its own"
            )
        if self.coordinator is None:
            raise Refused("the host does not take part in its cluster at this moment", "ask again in some seconds")
        return self.coordinator

    def figures(self) -> ClusterFigures | None:
        """For metrics; None: not a part at this moment."""
        part = self.coordinator
        return None if part is None else figures_of(self.membership, part, self._happened, self.calls.counts)

    async def begin(self, stays_s: float = 0.0) -> None:
        """Takes part: starts the agent, finds out which tasks are still this host's, and brings those up.

        `stays_s`: it does not go home for so long.
        """
        options = DownloadOptions(self._settings.state_dir / "uploads", self._settings.bundle_size)
        downloads = Downloads(self.wire, options, self._bundles.has, self._add_bundle)
        rules = rules_of(self._settings)
        updates = Updates(self._store, self.own.image, rules)
        local = HostLocal(
            self._settings, self._tasks, self._store, downloads, self.membership, self._power, updates, self._forget
        )
        coordinator = Coordinator(
            self.own.id,
            peers=self.calls,
            local=local,
            scheduler=AsyncioScheduler(self._notice),
            chance=random.SystemRandom(),
            notice=self._notice,
            rules=rules,
            spares=self._power.spares,
            stays_s=stays_s,
            missed=await updates.in_vain(),
        )
        local.on_still_on = self._come_back
        local.on_told = lambda: self._look(coordinator)  # not after the cluster's pause for news
        await self._part.enter_async_context(self.membership)
        following = asyncio.create_task(self._follow(coordinator))
        self._part.push_async_callback(_cancelled, following)
        self._part.push_async_callback(coordinator.close)
        await self._first_look()
        coordinator.on_members(View(self.membership.members, self.membership.ended))
        await coordinator.start()
        self.coordinator = coordinator
        await self._take_over(coordinator)

    async def end_part(self) -> None:
        """Takes part no more, without a word: another process of this host goes on, or this one just ends."""
        if self._coming_back is not None:
            await _cancelled(self._coming_back)
        await self._end()

    async def leave(self, within_s: float) -> None:
        """Moves the tasks to other hosts, each answering there before it ends here, and says goodbye."""
        if self.coordinator is None:
            return
        if not any(each.alive is MemberState.ALIVE and each.id != self.own.id for each in self.membership.members):
            await self.coordinator.close()  # there is nobody to take them
            await self.membership.leave()
            return
        stayed = await self.coordinator.leave(within_s)
        for label, why in stayed.items():
            host_log().warning("a task found no other host", task=label, problem=on_one_line(why))

    def reload(self) -> tuple[str, ...]:
        """Reads the keys anew; returns the files' names. SettingsError: all stays as it was."""
        keys = read_keys(self._key_file)
        self._ring.become(keys)
        self._keys = keys
        self.membership.use_keys([key.derived("serf") for key in keys])
        return (str(self._key_file),)

    # -- inside ----------------------------------------------------------------------------------------------------

    async def _end(self) -> None:
        self.coordinator = None
        await self._part.aclose()

    def _come_back(self, stays_s: float) -> None:
        self._coming_back = asyncio.create_task(self._begin_anew(stays_s))

    async def _begin_anew(self, stays_s: float) -> None:
        """It left, and the machine is still on."""
        while True:
            await self._end()
            self._seen.clear()
            self.membership = self._new_membership()
            try:
                return await self.begin(stays_s)
            except Exception as error:  # noqa: BLE001 - nobody else would try again
                host_log().error("cluster: this host cannot take part again yet", problem=repr(error))
            await asyncio.sleep(AGAIN_S)

    def _new_membership(self) -> SerfMembership:
        return SerfMembership(self.own, self._serf(self._keys), _tell, chance=random.SystemRandom())

    async def _first_look(self) -> None:
        """Waits until the members are known."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._seen.wait(), FIRST_LOOK_S)

    async def _follow(self, coordinator: Coordinator) -> None:
        async for _ in self.membership.changes():
            self._look(coordinator)

    def _look(self, coordinator: Coordinator) -> None:
        if self.membership.is_current:
            coordinator.on_members(View(self.membership.members, self.membership.ended))
            self._seen.set()
        else:  # of the others it is not known how they are; this host is known to itself
            others = [each for each in coordinator.view.members.values() if each.id != self.own.id]
            coordinator.on_members(View([self.membership.own, *others], self.membership.ended))

    async def _take_over(self, coordinator: Coordinator) -> None:
        """Tasks that were applied before this host was one of a cluster are placed; what is another's goes."""
        mine = {record.label for record in coordinator.records()}
        for label in [label for label in self._tasks.known if label not in mine]:
            stored = self._tasks.known[label].stored
            found = await coordinator.find(label)
            if found is None:
                try:
                    spec = self._tasks.checked(stored.settings, stored.bundle)
                except IsolatedError as error:
                    host_log().error("a task cannot be placed", task=label, problem=on_one_line(str(error)))
                    continue
                record = wanted_record(spec, stored.settings, stored.bundle, wanted=stored.wanted)
                await coordinator.apply(record)
                found = await coordinator.find(label)
            if found is not None and found.owner != self.own.id:
                await self._tasks.remove(label)

    async def open_bundle(self, digest: str) -> BinaryIO:
        """Its archive, for another host. Unknown, StoreError."""
        return (await asyncio.to_thread(self._bundles.pack, digest)).file

    async def _add_bundle(self, archive: Path) -> str:
        return await asyncio.to_thread(self._bundles.add, archive)

    def _guarded_bundles(self) -> set[str]:
        return set() if self.coordinator is None else self.coordinator.bundles()

    def _notice(self, what: str, details: Mapping[str, Any]) -> None:
        self._happened[what] += 1
        told = {name: on_one_line(str(value)) for name, value in details.items()}
        getattr(host_log(), LEVELS.get(what, "info"))(f"cluster: {what}", **told)
        task = told.pop("label", None)
        self._journal.record(EventKind.HOST, in_words(what, told), task=task, phase=what, **told)

    def _serf(self, keys: Sequence[ClusterKey]) -> SerfOptions:
        settings = self._settings
        return SerfOptions(
            folder=settings.state_dir / AGENT_FOLDER,
            keys=tuple(key.derived("serf") for key in keys),
            bind=str(settings.gossip_listen),
            advertise=gossip_address(settings),
            join=settings.cluster_join,
        )


def in_words(what: str, told: Mapping[str, str]) -> str:
    """What an event of the cluster says to people."""
    details = ", ".join(f"{name} {each}" for name, each in told.items())
    return f"cluster: {what}: {details}" if details else f"cluster: {what}"


def _tell(level: str, event: str, details: Mapping[str, Any]) -> None:
    getattr(host_log(), level)(event, **details)


async def _cancelled(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.wait((task,))
