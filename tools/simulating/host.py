"""A simulated host: the real coordinator, over a disk, a network and a machine that are not real."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from supervisor.cluster.coordinator import Coordinator
from supervisor.cluster.ports import BootFailed, Door, Kept
from supervisor.cluster.rollout import went_in_vain
from supervisor.cluster.values import Capacity, Departure, HostState, Member, MemberState, Record
from tools.simulating.loop import HostScheduler, Life
from tools.simulating.network import SimulatedPeers

if TYPE_CHECKING:
    from tools.simulating.world import World

LOOK_S = 1.0  # how often a host reads the news, while there are some
BOOT_S = (0.001, 0.05)  # of a task
FINISHING_S = (0.0, 0.2)  # of a copy's last requests


@dataclass(slots=True)
class Machine:
    """What stays when a host crashes."""

    id: str
    boot_time: float  # by its own clock, which may be minutes off
    image: str
    tasks: int  # that fit
    lag_s: float  # how old its news are
    has_disk: bool  # False: what it kept is lost with each life


class Host:
    """One machine and its lives."""

    def __init__(self, machine: Machine, world: World) -> None:
        self.machine = machine
        self.life = Life()
        self.life.is_over = True
        self.disk: dict[str, Kept] = {}
        self.went: dict[str, float] = {}  # image -> when it went for it; on the disk, too
        self.bundles: set[str] = set()
        self.coordinator: Coordinator | None = None
        self.has_gone_home = False
        self.has_started = False
        self._world = world
        self._chance = random.Random(f"{world.seed} {machine.id}")
        self._running: set[str] = set()
        self._state = (HostState.STARTING, True)
        self._idle_since: float | None = None
        self._is_hearing = False

    @property
    def id(self) -> str:
        """The host's."""
        return self.machine.id

    @property
    def is_alive(self) -> bool:
        """Whether it is on and has not crashed."""
        return not self.life.is_over

    @property
    def open_door(self) -> Door | None:
        """What answers there; a host that starts answers nobody yet."""
        if self.life.is_over or self.coordinator is None or self.coordinator.state is HostState.STARTING:
            return None
        return self.coordinator.door

    @property
    def running(self) -> frozenset[str]:
        """Labels of the copies that answer there."""
        return frozenset(self._running)

    @property
    def state(self) -> HostState:
        """What it says."""
        return self._state[0]

    def start(self) -> None:
        """Switches it on."""
        world = self._world
        knows, self.has_started = self.machine.has_disk and self.has_started, True
        if not self.machine.has_disk:
            self.disk.clear()
            self.went.clear()
            self.bundles.clear()
        self.life, self.has_gone_home, self._is_hearing = Life(), False, False
        self._state = (HostState.STARTING, True)
        self._idle_since = world.time.now
        self.coordinator = Coordinator(
            self.id,
            peers=SimulatedPeers(self.id, world.network),
            local=self,
            scheduler=HostScheduler(world.time, self.life),
            chance=self._chance,
            notice=self._notice,
            rules=world.rules,
            spares=world.spares,
            order=world.order,
            missed=went_in_vain(self.went, self.machine.image, world.time.now, world.rules) if knows else None,
        )
        world.time.start(self._live(self.coordinator), self.life)

    def crash(self) -> None:
        """Ends it at once."""
        self.life.is_over = True
        for label in sorted(self._running):
            self._world.copies.ended(self.id, label)
        self._running.clear()
        self._world.gossip.crashed(self.id)

    def member(self, alive: MemberState) -> Member:
        """As it tells its peers."""
        machine, (state, room) = self.machine, self._state
        return Member(self.id, machine.boot_time, "", alive, state, room=room, image=machine.image, since=0.0)

    async def _live(self, coordinator: Coordinator) -> None:
        world, scheduler = self._world, HostScheduler(self._world.time, self.life)
        world.gossip.publish(self.member(MemberState.ALIVE))
        await scheduler.sleep(self._chance.uniform(0.5, 2.0))
        coordinator.on_members(world.gossip.view(self.id, self.machine.lag_s))
        scheduler.start(coordinator.start())
        self._is_hearing = True
        await self._hear(coordinator)

    def hear(self) -> None:
        """There may be news for this host."""
        if self.coordinator is not None and not self._is_hearing and not self.life.is_over:
            self._is_hearing = True
            self._world.time.start(self._hear(self.coordinator), self.life)

    async def _hear(self, coordinator: Coordinator) -> None:
        world, scheduler = self._world, HostScheduler(self._world.time, self.life)
        while coordinator.view is not world.gossip.latest(self.id):
            await scheduler.sleep(LOOK_S * self._chance.uniform(0.9, 1.1))
            view = world.gossip.view(self.id, self.machine.lag_s)
            if view is not coordinator.view:
                coordinator.on_members(view)
        self._is_hearing = False

    def _notice(self, what: str, details: Mapping[str, Any]) -> None:
        self._world.noticed(self.id, what, details)

    # What the coordinator asks of this machine, as in Local.

    def capacity(self) -> Capacity:
        """A number of tasks."""
        return Capacity(None, self.machine.tasks, frozenset(range(2)))

    def idle_since(self) -> float | None:
        """A host is busy while it has tasks."""
        return self._idle_since

    async def boot(self, record: Record, sources: Sequence[Member]) -> None:
        """Takes some milliseconds."""
        await HostScheduler(self._world.time, self.life).sleep(self._chance.uniform(*BOOT_S))
        if self._chance.random() < self._world.boot_failures:
            raise BootFailed("its port is in use")
        if record.bundle is not None and (why := await self.hold_bundle(record.bundle, sources)):
            raise BootFailed(f"it cannot get its bundle: {why}")
        if record.wanted:
            self._running.add(record.label)
            self._idle_since = None
            self._world.copies.began(self.id, record)

    async def stop(self, label: str) -> None:
        """A copy answers no more at once, and is over a little later."""
        if label not in self._running:
            return
        self._running.discard(label)
        self._world.copies.ended(self.id, label)
        if not self._running:
            self._idle_since = self._world.time.now
        await HostScheduler(self._world.time, self.life).sleep(self._chance.uniform(*FINISHING_S))

    async def hold_bundle(self, digest: str, sources: Sequence[Member], within_s: float | None = None) -> str | None:
        """At once, from a host that has it."""
        if digest not in self.bundles and any(digest in self._world.hosts[each.id].bundles for each in sources):
            self.bundles.add(digest)
        return None if digest in self.bundles else "no host that may have it has it"

    async def load(self) -> Sequence[Kept]:
        """From the disk."""
        return list(self.disk.values())

    async def keep(self, kept: Kept) -> None:
        """On the disk."""
        self.disk[kept.label] = kept

    async def forget(self, label: str) -> None:
        """From the disk."""
        self.disk.pop(label, None)

    async def tell(self, state: HostState, *, room: bool) -> None:
        """By gossip."""
        self._state = (state, room)
        self._world.gossip.publish(self.member(MemberState.ALIVE))

    async def note_update(self, image: str) -> None:
        """On the disk."""
        self.went[image] = self._world.time.now

    async def forget_update(self, image: str) -> None:
        """From the disk."""
        self.went.pop(image, None)

    async def leave(self) -> None:
        """By gossip."""
        self._world.gossip.publish(self.member(MemberState.LEFT))

    async def power_off(self, departure: Departure) -> None:
        """The end of this life."""
        self._world.goes(self, departure)
        for label in sorted(self._running):
            self._world.copies.ended(self.id, label)
        self._running.clear()
        self.has_gone_home = True
        self.life.is_over = True

    def come_back(self, stays_s: float) -> None:
        """Machines here go off when they are told to."""

    async def wake_spare(self, spare: str) -> None:
        """By a packet that arrives."""
        self._world.wakes(spare)
