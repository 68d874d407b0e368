"""The other end of a call: from what came over the wire to the cluster's door, and its answer back."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import BinaryIO

from supervisor.cluster.peers import codec
from supervisor.cluster.ports import Door
from supervisor.cluster.values import Withheld
from supervisor.spec.peer_views import (
    BootRequest,
    ClaimRequest,
    FoundView,
    GrantedView,
    GrantRequest,
    LeasedView,
    LeaseRequest,
    OutcomeView,
    OwnedView,
    RecordRequest,
    RetireRequest,
    WordView,
)

type OpenBundle = Callable[[str], Awaitable[BinaryIO]]


class Answering:
    """What the peer door of the control API calls, over a Door. Loop thread."""

    def __init__(self, door: Door, open_bundle: OpenBundle) -> None:
        self._door = door
        self._open_bundle = open_bundle

    async def admit(self, record: RecordRequest) -> OutcomeView:
        """As Door.admit."""
        return codec.outcome_view(await self._door.admit(codec.record_of(record), record.caller or ""))

    async def boot(self, request: BootRequest) -> OutcomeView:
        """As Door.boot."""
        return codec.outcome_view(await self._door.boot(request.label, request.epoch))

    async def guard(self, record: RecordRequest) -> WordView:
        """As Door.guard."""
        return codec.word_view(await self._door.guard(codec.record_of(record), record.caller or ""))

    async def claim(self, request: ClaimRequest) -> WordView:
        """As Door.claim."""
        word = await self._door.claim(codec.claim_of(request))
        return codec.word_view(word if isinstance(word, Withheld) else None)

    async def lease(self, request: LeaseRequest) -> LeasedView:
        """As Door.lease."""
        return codec.leased_view(await self._door.lease(request.owner, codec.held_of(request)))

    async def owned(self) -> OwnedView:
        """As Door.records."""
        return codec.owned_view(await self._door.records())

    async def retire(self, request: RetireRequest) -> None:
        """As Door.retire."""
        await self._door.retire(request.label, request.epoch)

    async def grant(self, request: GrantRequest) -> GrantedView:
        """As Door.grant."""
        return GrantedView(granted=await self._door.grant(request.who))

    async def find(self, label: str) -> FoundView:
        """As Door.find."""
        record = await self._door.find(label)
        return FoundView(record=None if record is None else codec.record_view(record))

    async def revise(self, record: RecordRequest) -> OutcomeView:
        """As Door.revise."""
        return codec.outcome_view(await self._door.revise(codec.record_of(record), record.caller or ""))

    async def open_bundle(self, digest: str) -> BinaryIO:
        """The archive of a bundle."""
        return await self._open_bundle(digest)
