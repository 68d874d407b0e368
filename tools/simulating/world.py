"""Everything that is simulated, and the invariants that are looked at while it runs."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from supervisor.cluster.placing import Placed
from supervisor.cluster.rendezvous import Rendezvous
from supervisor.cluster.rules import Rules
from supervisor.cluster.values import Departure, HostState, Mode, Needs, Record
from tools.simulating.copies import Copies
from tools.simulating.gossip import Gossip
from tools.simulating.host import Host, Machine
from tools.simulating.loop import HostScheduler, Life, VirtualTime
from tools.simulating.network import Network

STEP_S = 0.5  # between two looks at the world
EPOCH = 1_700_000_000.0  # when the first host booted
OFF_S = 60.0  # a host needs so long to come up again


class World:
    """The hosts and what they stand in. One seed, one history."""

    def __init__(self, seed: int, rules: Rules, spares: Sequence[str] = ()) -> None:
        self.seed = seed
        self.rules = rules
        self.spares = spares
        self.chance = random.Random(seed)
        self.time = VirtualTime()
        self.network = Network(self.time, random.Random(seed + 1))
        self.gossip = Gossip(self.network, random.Random(seed + 2))
        self.copies = Copies(self.time)
        self.order = Rendezvous()
        self.hosts: dict[str, Host] = {}
        self.wanted: dict[str, Mode] = {}  # acknowledged and not removed
        self.removed: set[str] = set()
        self.unplaced: list[str] = []
        self.notices: Counter[str] = Counter()
        self.violations: list[str] = []
        self.departures: list[tuple[float, str, Departure]] = []
        self.most_draining = 0.0  # of the share that is allowed
        self.most_draining_in_calm = 0.0  # a minute and more after a disturbance
        self.apply_s: list[float] = []
        self.last_image = "image-1"
        self.others_image: dict[str, str] = {}  # host -> the image that it gets in the place of the last one
        self._all: list[Host] = []
        self.boot_failures = 0.0  # share of the boots
        self._outside = Life()  # of what is no host
        self._disturbed_at = 0.0
        self._powering: list[tuple[float, Host]] = []

    # ---- what a scenario does

    def add(self, name: str, *, tasks: int, skew_s: float = 0.0, has_disk: bool = True, is_on: bool = True) -> Host:
        """A new host, switched on now or a spare; its clock is off by up to `skew_s`."""
        boot_time = EPOCH + self.time.now + self.chance.uniform(-skew_s, skew_s)
        machine = Machine(name, boot_time, self.last_image, tasks, self.chance.uniform(0.2, 2.0), has_disk)
        host = self.hosts[name] = Host(machine, self)
        self._all.append(host)
        self.network.stations[name] = host
        if is_on:
            host.start()
        return host

    def run(self, seconds: float) -> None:
        """Lets time pass; looks at the invariants meanwhile."""
        end = self.time.now + seconds
        while self.time.now < end:
            self.time.run_until(min(end, self.time.now + STEP_S))
            self._spread()
            self._power_on()
            self._look()
        self.time.run_until(end)  # what the last look began

    def apply(self, label: str, *, mode: Mode = Mode.BEST_EFFORT, needs: Needs | None = None) -> None:
        """A user applies a task and its bundle at any host; one that fails is applied again elsewhere, as users do."""
        needs = needs or Needs(memory=0)
        record = Record(label, 0, 0, "", {}, f"bundle of {label}", wanted=True, needs=needs, mode=mode)
        self.time.start(self._apply(record), self._outside)

    def remove(self, label: str) -> None:
        """A user removes a task at any host."""
        self.removed.add(label)
        self.wanted.pop(label, None)
        self.copies.forget(label)
        self.time.start(self._remove(label), self._outside)

    def crash(self, host: Host) -> None:
        """It stops without a word."""
        if host.is_alive:
            self.disturb()
            host.crash()

    def reboot(self, host: Host) -> None:
        """A host that is off comes up again, as the newest."""
        if not host.is_alive:
            host.machine.boot_time = EPOCH + self.time.now
            host.machine.image = self.others_image.get(host.id, self.last_image)
            host.start()

    def partition(self, sides: Sequence[Sequence[Host]], *, one_way: bool = False) -> None:
        """Cuts the network between sides, each of which begins with what its first host sees."""
        self.disturb()
        numbers = [self.gossip.begin_side([host.id for host in hosts]) for hosts in sides]
        for number, hosts in zip(numbers, sides, strict=True):
            for host in hosts:
                self.network.sides[host.id] = number
        pairs = {(one, other) for one in numbers for other in numbers if one != other}
        self.network.cut = {(one, other) for one, other in pairs if not one_way or one < other}
        self.gossip.split()

    def heal(self) -> None:
        """Everything reaches everything again, at its usual speed, and boots."""
        self.disturb()
        self.network.cut = set()
        self.network.pairs.clear()
        self.network.slow.clear()
        self.network.loss = 0.0
        self.boot_failures = 0.0
        self.gossip.split()

    def disturb(self) -> None:
        """Something happens that two copies may follow from."""
        self._disturbed_at = self.copies.disturbed_at = self.time.now

    # ---- what hosts do to it

    def goes(self, host: Host, departure: Departure) -> None:
        """A host powers itself off: the newest and the floor must stay."""
        others = [other for other in self.alive if other is not host and other.state is not HostState.DRAINING]
        self.departures.append((self.time.now, host.id, departure))
        if len(others) < self.rules.floor and self._is_calm(30.0):
            self._violated(f"{host.id} went, and {len(others)} hosts are left: below the floor")
        if all(other.machine.boot_time < host.machine.boot_time for other in others):
            self._violated(f"{host.id} went, and it was the newest")
        if departure is Departure.UPDATE:
            self._powering.append((self.time.now + OFF_S, host))

    def wakes(self, spare: str) -> None:
        """A spare host is started."""
        host = self.hosts.get(spare)
        if host is not None and not host.is_alive:
            self._powering.append((self.time.now + OFF_S, host))

    def noticed(self, host: str, what: str, details: Mapping[str, Any]) -> None:
        """Hosts' events."""
        self.notices[what] += 1
        if what == "defect":
            self.time.defects.append(f"{host}: {details}")

    @property
    def alive(self) -> list[Host]:
        """Hosts that are on."""
        return [host for host in self.hosts.values() if host.is_alive]

    # ---- what is looked at

    def lost(self) -> list[str]:
        """Tasks that should run and do not, or not on a host that owns them."""
        return [label for label in self.wanted if not self.copies.running.get(label)]

    def doubled(self) -> list[str]:
        """Tasks of which more than one copy runs, and those that run though they were removed."""
        running = self.copies.running
        twice = [label for label, hosts in running.items() if len(hosts) > 1]
        return twice + [label for label in self.removed if running.get(label)]

    def _spread(self) -> None:
        self.gossip.spread()
        if self.gossip.has_news:
            self.gossip.has_news = False
            for host in self.alive:
                host.hear()

    def _is_calm(self, seconds: float) -> bool:
        return self.time.now - self._disturbed_at > seconds

    def _look(self) -> None:
        alive = self.alive
        draining = sum(host.state is HostState.DRAINING for host in alive)
        allowed = max(1, int(self.rules.share * len(alive)))
        self.most_draining = max(self.most_draining, draining / allowed)
        if not self._is_calm(60.0):  # in a partition that is not seen yet each side lets its own go
            return
        self.most_draining_in_calm = max(self.most_draining_in_calm, draining / allowed)
        if draining > allowed:
            self._violated(f"{draining} hosts drain, {allowed} may")

    def _violated(self, what: str) -> None:
        self.violations.append(f"{self.time.now:.1f} s: {what}")

    def _power_on(self) -> None:
        now = self.time.now
        for _, host in [each for each in self._powering if each[0] <= now]:
            self.reboot(host)
        self._powering = [each for each in self._powering if each[0] > now]

    def _somebody(self) -> Host:
        for _ in range(100):
            host = self.chance.choice(self._all)
            if host.is_alive and host.state is HostState.UP:
                return host
        return self.alive[0]

    async def _apply(self, record: Record) -> None:
        began = self.time.now
        for _ in range(20):
            host = self._somebody()
            assert host.coordinator is not None
            assert record.bundle is not None
            host.bundles.add(record.bundle)
            strand = self.time.start(host.coordinator.apply(record), host.life)
            await self.time.all_of([strand], self.time.now + 30.0)
            if strand.is_done and isinstance(strand.result, Placed):
                if record.label not in self.removed:
                    self.wanted[record.label] = record.mode
                self.apply_s.append(self.time.now - began)
                return
            strand.cancel()  # the client hangs up
            await HostScheduler(self.time, self._outside).sleep(self.chance.uniform(1.0, 5.0))
        self.unplaced.append(record.label)

    async def _remove(self, label: str) -> None:
        for _ in range(40):
            host = self._somebody()
            assert host.coordinator is not None
            strand = self.time.start(host.coordinator.remove(label), host.life)
            await self.time.all_of([strand], self.time.now + 30.0)
            # A user who knows that there is such a task asks again when no host is missing any more.
            is_whole = not self.network.cut and not host.coordinator.view.failed
            is_unknown = strand.is_done and strand.error is None and strand.result is None and is_whole
            if is_unknown or (strand.is_done and isinstance(strand.result, Placed)):
                return
            strand.cancel()  # the client hangs up
            await HostScheduler(self.time, self._outside).sleep(self.chance.uniform(1.0, 5.0))
        self.removed.discard(label)  # nobody ever said that it is
