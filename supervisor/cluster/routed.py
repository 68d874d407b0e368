"""Calls to hosts, of which one is this one: it answers itself, without the network."""

from __future__ import annotations

from collections.abc import Mapping

from supervisor.cluster.ports import Door, Peers
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


class Routed:
    """Peers for all hosts, this one included. `door` is this host's own."""

    door: Door

    def __init__(self, me: str, peers: Peers) -> None:
        self._me = me
        self._peers = peers

    async def admit(self, to: Member, record: Record) -> Admitted | Full | Refused:
        """As in Peers, like all that follow."""
        return await (self.door.admit(record, self._me) if to.id == self._me else self._peers.admit(to, record))

    async def boot(self, to: Member, label: str, epoch: int) -> Booted | Refused:
        return await (self.door.boot(label, epoch) if to.id == self._me else self._peers.boot(to, label, epoch))

    async def guard(self, to: Member, record: Record) -> Withheld | None:
        return await (self.door.guard(record, self._me) if to.id == self._me else self._peers.guard(to, record))

    async def claim(self, to: Member, claim: Claim) -> Promised | Withheld:
        return await (self.door.claim(claim) if to.id == self._me else self._peers.claim(to, claim))

    async def lease(self, to: Member, owner: str, held: Mapping[str, Version]) -> Leased:
        return await (self.door.lease(owner, held) if to.id == self._me else self._peers.lease(to, owner, held))

    async def records(self, to: Member) -> Mapping[str, Version]:
        return await (self.door.records() if to.id == self._me else self._peers.records(to))

    async def retire(self, to: Member, label: str, epoch: int) -> None:
        await (self.door.retire(label, epoch) if to.id == self._me else self._peers.retire(to, label, epoch))

    async def grant(self, to: Member, who: str) -> bool:
        return await (self.door.grant(who) if to.id == self._me else self._peers.grant(to, who))

    async def find(self, to: Member, label: str) -> Record | None:
        return await (self.door.find(label) if to.id == self._me else self._peers.find(to, label))

    async def revise(self, to: Member, record: Record) -> Revised | Refused:
        return await (self.door.revise(record, self._me) if to.id == self._me else self._peers.revise(to, record))
