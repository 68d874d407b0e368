"""Calls between hosts: they take time, get lost, or lose their answers."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Coroutine, Generator, Mapping
from types import coroutine
from typing import Any, NoReturn, Protocol

from supervisor.cluster.ports import Door, Silent
from supervisor.cluster.values import (
    Admitted,
    Booted,
    Claim,
    Full,
    Leased,
    Member,
    Promised,
    Record,
    Refused,
    Revised,
    Version,
    Withheld,
)
from tools.simulating.loop import Dead, Life, Strand, VirtualTime, Waiting

CALL_S = 3.0  # then a caller gives up
BOOT_S = 60.0


class Station(Protocol):
    """A host as the network sees it."""

    life: Life

    @property
    def open_door(self) -> Door | None:
        """None: nobody answers there."""
        ...


class Network:
    """Who reaches whom, and how fast. `sides`: host -> the part of the network it is in, all 0 at first."""

    def __init__(self, time: VirtualTime, chance: random.Random) -> None:
        self.time = time
        self.stations: dict[str, Station] = {}
        self.sides: dict[str, int] = {}
        self.cut: set[tuple[int, int]] = set()  # from one side to another, in this direction
        self.pairs: set[tuple[str, str]] = set()  # hosts that cannot call each other though gossip goes round
        self.slow: dict[str, float] = {}  # host -> seconds that each message of it takes at most
        self.loss = 0.0  # of messages
        self.kinds: Counter[str] = Counter()  # of calls
        self.silences = 0
        self._chance = chance

    def passes(self, sender: str, receiver: str) -> bool:
        """Whether a message arrives."""
        if self.cut and (self.sides.get(sender, 0), self.sides.get(receiver, 0)) in self.cut:
            return False
        if self.pairs and (sender, receiver) in self.pairs:
            return False
        return not self.loss or self._chance.random() >= self.loss

    def hears(self, one: int, other: int) -> bool:
        """Whether gossip gets from one side to the other: it needs both directions."""
        return (one, other) not in self.cut and (other, one) not in self.cut

    def latency(self, sender: str, receiver: str) -> float:
        """Seconds that a message takes."""
        usual = 0.0005 + 0.0095 * self._chance.random()
        if not self.slow:
            return usual
        return usual + max(self.slow.get(sender, 0.0), self.slow.get(receiver, 0.0)) * self._chance.random()


class SimulatedPeers:
    """Peers of one host, over the network."""

    def __init__(self, me: str, network: Network) -> None:
        self._me = me
        self._network = network

    async def admit(self, to: Member, record: Record) -> Admitted | Full | Refused:
        """As in Peers, like all that follow."""
        return await self._call(to, "admit", lambda door: door.admit(record, self._me))

    async def boot(self, to: Member, label: str, epoch: int) -> Booted | Refused:
        return await self._call(to, "boot", lambda door: door.boot(label, epoch), limit_s=BOOT_S)

    async def guard(self, to: Member, record: Record) -> Withheld | None:
        return await self._call(to, "guard", lambda door: door.guard(record, self._me))

    async def claim(self, to: Member, claim: Claim) -> Promised | Withheld:
        return await self._call(to, "claim", lambda door: door.claim(claim))

    async def lease(self, to: Member, owner: str, held: Mapping[str, Version]) -> Leased:
        return await self._call(to, "lease", lambda door: door.lease(owner, held))

    async def records(self, to: Member) -> Mapping[str, Version]:
        return await self._call(to, "records", lambda door: door.records())

    async def retire(self, to: Member, label: str, epoch: int) -> None:
        await self._call(to, "retire", lambda door: door.retire(label, epoch))

    async def grant(self, to: Member, who: str) -> bool:
        return await self._call(to, "grant", lambda door: door.grant(who))

    async def find(self, to: Member, label: str) -> Record | None:
        return await self._call(to, "find", lambda door: door.find(label))

    async def revise(self, to: Member, record: Record) -> Revised | Refused:
        return await self._call(to, "revise", lambda door: door.revise(record, self._me))

    @coroutine
    def _call[T](
        self, to: Member, kind: str, ask: Callable[[Door], Coroutine[Any, Any, T]], limit_s: float = CALL_S
    ) -> Generator[float | Waiting, None, T]:
        network, time = self._network, self._network.time
        network.kinds[kind] += 1
        until = time.now + limit_s
        yield network.latency(self._me, to.id)
        station = network.stations.get(to.id)
        door = None if station is None else station.open_door
        if station is None or door is None or not network.passes(self._me, to.id):
            return (yield from self._give_up(until))
        answer = time.begin(ask(door), station.life)  # the other host goes on even if this one dies
        if isinstance(answer, Strand):
            answer = yield from self._answer(answer, until)
        if not network.passes(to.id, self._me):
            return (yield from self._give_up(until))
        yield network.latency(to.id, self._me)
        if time.now > until:
            return (yield from self._give_up(until))
        return answer

    def _answer(self, strand: Strand, until: float) -> Generator[float | Waiting, None, Any]:
        yield Waiting([strand], until)
        if not strand.is_done or isinstance(strand.error, Dead):
            return (yield from self._give_up(until))
        if strand.error is not None:
            raise strand.error
        return strand.result

    def _give_up(self, until: float) -> Generator[float, None, NoReturn]:
        self._network.silences += 1
        yield max(0.0, until - self._network.time.now)
        raise Silent
