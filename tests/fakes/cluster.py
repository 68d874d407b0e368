"""Hosts of a cluster in one process: coordinators over asyncio, whose machines and network are not real."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import replace
from typing import Any

from supervisor.cluster.coordinator import Coordinator
from supervisor.cluster.ports import BootFailed, Door, Kept, Silent
from supervisor.cluster.power.failures import PowerOffFailed
from supervisor.cluster.rules import Rules
from supervisor.cluster.scheduler import AsyncioScheduler
from supervisor.cluster.values import (
    Admitted,
    Booted,
    Capacity,
    Cause,
    Claim,
    Departure,
    Full,
    HostState,
    Leased,
    Member,
    MemberState,
    Mode,
    Needs,
    Promised,
    Record,
    Refused,
    Revised,
    Version,
    Withheld,
)


def member(
    host: str,
    *,
    boot_time: float = 0.0,
    alive: MemberState = MemberState.ALIVE,
    state: HostState = HostState.UP,
    room: bool = True,
    image: str = "",
    since: float = 0.0,
) -> Member:
    """A member with the usual values."""
    return Member(host, boot_time, f"{host}:1", alive, state, room=room, image=image, since=since)


def record(
    label: str = "task",
    *,
    epoch: int = 1,
    revision: int = 1,
    owner: str = "a",
    guardians: tuple[str, ...] = (),
    previous: tuple[str, ...] = (),
    mode: Mode = Mode.BEST_EFFORT,
    needs: Needs | None = None,
    removed: bool = False,
    settings: Mapping[str, Any] | None = None,
    bundle: str | None = None,
) -> Record:
    """A record with the usual values."""
    return Record(
        label,
        epoch,
        revision,
        owner,
        settings or {},
        bundle,
        wanted=not removed,
        needs=needs or Needs(1),
        mode=mode,
        guardians=guardians,
        previous=previous,
        removed=removed,
    )


def wanted(label: str, *, mode: Mode = Mode.BEST_EFFORT, needs: Needs | None = None, **settings: Any) -> Record:
    """What a user applies."""
    return record(label, epoch=0, revision=0, owner="", mode=mode, needs=needs, settings=settings)


class FakeMachine:
    """The Local of one host. `events` tells what was asked of it, in order. `others`: those it may get bundles from."""

    def __init__(self, memory: int = 100) -> None:
        self.memory = memory
        self.bundles: set[str] = set()  # digests
        self.others: Mapping[str, FakeMachine] = {}  # by host
        self.disk: dict[str, Kept] = {}
        self.running: dict[str, Record] = {}
        self.events: list[str] = []
        self.told: list[tuple[HostState, bool]] = []
        self.idle_from: float | None = None
        self.boot_problem: str | None = None
        self.boot_cause = Cause.HOST
        self.fails_halfway = False  # a boot that fails leaves a copy that goes on
        self.power_problem: str | None = None
        self.woken: list[str] = []
        self.departure: Departure | None = None
        self.went: list[str] = []  # images that it went for
        self.note_problem: str | None = None

    def capacity(self) -> Capacity:
        return Capacity(self.memory, None, frozenset({0, 1}))

    def idle_since(self) -> float | None:
        return self.idle_from

    async def boot(self, record: Record, sources: Sequence[Member]) -> None:
        if self.boot_problem is not None:
            self.events.append(f"fail {record.label}")
            if self.fails_halfway:
                self.running[record.label] = record
            raise BootFailed(self.boot_problem, self.boot_cause)
        if record.bundle is not None and (why := await self.hold_bundle(record.bundle, sources)):
            raise BootFailed(f"it cannot get its bundle: {why}")
        self.events.append(f"boot {record.label}")
        self.running[record.label] = record

    async def stop(self, label: str) -> None:
        self.events.append(f"stop {label}")
        self.running.pop(label, None)

    async def hold_bundle(self, digest: str, sources: Sequence[Member], within_s: float | None = None) -> str | None:
        if any(digest in self.others[source.id].bundles for source in sources):
            self.bundles.add(digest)
        if digest in self.bundles:
            return None
        return "; ".join(f"{source.id} does not have it" for source in sources) or "no host is known that may have it"

    async def load(self) -> Sequence[Kept]:
        return list(self.disk.values())

    async def keep(self, kept: Kept) -> None:
        self.disk[kept.label] = kept

    async def forget(self, label: str) -> None:
        self.disk.pop(label, None)

    async def tell(self, state: HostState, *, room: bool) -> None:
        self.told.append((state, room))

    async def note_update(self, image: str) -> None:
        if self.note_problem is not None:
            raise OSError(self.note_problem)
        self.events.append(f"went for {image}")
        self.went.append(image)

    async def forget_update(self, image: str) -> None:
        if image in self.went:
            self.went.remove(image)

    async def leave(self) -> None:
        self.events.append("leave")

    async def power_off(self, departure: Departure) -> None:
        self.departure = departure
        if self.power_problem is not None:
            raise PowerOffFailed(self.power_problem)

    def come_back(self, stays_s: float) -> None:
        self.events.append(f"come back for {stays_s:g} s")

    async def wake_spare(self, spare: str) -> None:
        self.woken.append(spare)


class Wire:
    """A host's way to the others: through their doors, if the cluster lets it."""

    def __init__(self, me: str, cluster: FakeCluster) -> None:
        self._me = me
        self._cluster = cluster

    async def admit(self, to: Member, record: Record) -> Admitted | Full | Refused:
        return await self._ask(to, lambda door: door.admit(record, self._me))

    async def boot(self, to: Member, label: str, epoch: int) -> Booted | Refused:
        return await self._ask(to, lambda door: door.boot(label, epoch))

    async def guard(self, to: Member, record: Record) -> Withheld | None:
        return await self._ask(to, lambda door: door.guard(record, self._me))

    async def claim(self, to: Member, claim: Claim) -> Promised | Withheld:
        return await self._ask(to, lambda door: door.claim(claim))

    async def lease(self, to: Member, owner: str, held: Mapping[str, Version]) -> Leased:
        return await self._ask(to, lambda door: door.lease(owner, held))

    async def records(self, to: Member) -> Mapping[str, Version]:
        return await self._ask(to, lambda door: door.records())

    async def retire(self, to: Member, label: str, epoch: int) -> None:
        await self._ask(to, lambda door: door.retire(label, epoch))

    async def grant(self, to: Member, who: str) -> bool:
        return await self._ask(to, lambda door: door.grant(who))

    async def find(self, to: Member, label: str) -> Record | None:
        return await self._ask(to, lambda door: door.find(label))

    async def revise(self, to: Member, record: Record) -> Revised | Refused:
        return await self._ask(to, lambda door: door.revise(record, self._me))

    async def _ask[T](self, to: Member, call: Callable[[Door], Coroutine[Any, Any, T]]) -> T:
        cluster = self._cluster
        await asyncio.sleep(0.001)
        coordinator = cluster.coordinators.get(to.id)
        if coordinator is None or (self._me, to.id) in cluster.cut:
            raise Silent
        answer = await call(coordinator.door)
        if (to.id, self._me) in cluster.cut:
            raise Silent
        return answer


class FakeCluster:
    """Hosts by id; the first one is the oldest. `cut`: pairs (from, to) whose messages get lost."""

    def __init__(self, *hosts: str, rules: Rules | None = None, spares: Sequence[str] = (), memory: int = 100) -> None:
        self.rules = rules or Rules()
        self.spares = spares
        self.machines = {host: FakeMachine(memory) for host in hosts}
        self.members = {host: member(host, boot_time=float(age)) for age, host in enumerate(hosts)}
        self.coordinators: dict[str, Coordinator] = {}
        self.wires: dict[str, Wire] = {}  # their ways to the others
        self.cut: set[tuple[str, str]] = set()
        self.notices: list[tuple[str, str]] = []  # host, what
        self.placed: list[Mapping[str, Any]] = []  # the details of those about placements
        self.stayed: list[str] = []  # why hosts did not go after all

    async def start(self, *hosts: str, stays_s: float = 0.0, missed: Mapping[str, float] | None = None) -> None:
        """Starts those hosts, or all."""
        for host in hosts or tuple(self.machines):
            self.wires[host] = Wire(host, self)
            self.machines[host].others = self.machines
            coordinator = Coordinator(
                host,
                peers=self.wires[host],
                local=self.machines[host],
                scheduler=AsyncioScheduler(lambda what, _, host=host: self.notices.append((host, what))),  # type: ignore[misc]
                chance=random.Random(host),
                notice=lambda what, details, host=host: self._note(host, what, details),  # type: ignore[misc]
                rules=self.rules,
                spares=self.spares,
                stays_s=stays_s,
                missed=missed or {},
            )
            self.coordinators[host] = coordinator
            coordinator.on_members(self.members.values())
        await asyncio.gather(*(self.coordinators[host].start() for host in hosts or tuple(self.machines)))

    def _note(self, host: str, what: str, details: Mapping[str, Any]) -> None:
        self.notices.append((host, what))
        if what == "placed":
            self.placed.append(details)
        if what == "stays":
            self.stayed.append(details["why"])

    def see(self, host: str, **changed: Any) -> None:
        """All hosts learn that a member changed."""
        if "alive" in changed:
            changed["since"] = asyncio.get_running_loop().time()
        self.members[host] = replace(self.members[host], **changed)
        for coordinator in self.coordinators.values():
            coordinator.on_members(self.members.values())

    async def crash(self, host: str) -> None:
        """The host ends without a word, and all see it."""
        await self.coordinators.pop(host).close()
        self.machines[host].running.clear()
        self.see(host, alive=MemberState.FAILED)

    async def close(self) -> None:
        """Ends what repeats on all hosts."""
        for coordinator in self.coordinators.values():
            await coordinator.close()

    def running(self, label: str) -> list[str]:
        """Ids of the hosts on which a task runs."""
        return [host for host, machine in self.machines.items() if label in machine.running]
