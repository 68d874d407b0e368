"""What answers to other hosts while this one takes part in the cluster."""

from __future__ import annotations

from typing import BinaryIO

from supervisor.host.cluster.cluster import Cluster
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


class PeerDoor:
    """Implements PeerControl. Refused while the host does not take part: callers take it for silent. Loop thread."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster

    async def admit(self, record: RecordRequest) -> OutcomeView:
        """Reserves room."""
        return await self._cluster.door.admit(record)

    async def boot(self, request: BootRequest) -> OutcomeView:
        """Boots what was admitted."""
        return await self._cluster.door.boot(request)

    async def guard(self, record: RecordRequest) -> WordView:
        """Keeps a record."""
        return await self._cluster.door.guard(record)

    async def claim(self, request: ClaimRequest) -> WordView:
        """Promises an epoch."""
        return await self._cluster.door.claim(request)

    async def lease(self, request: LeaseRequest) -> LeasedView:
        """Renews leases."""
        return await self._cluster.door.lease(request)

    async def owned(self) -> OwnedView:
        """What this host owns."""
        return await self._cluster.door.owned()

    async def retire(self, request: RetireRequest) -> None:
        """Stops an older copy."""
        await self._cluster.door.retire(request)

    async def grant(self, request: GrantRequest) -> GrantedView:
        """Whether a host may go home."""
        return await self._cluster.door.grant(request)

    async def find(self, label: str) -> FoundView:
        """The newest record of a task."""
        return await self._cluster.door.find(label)

    async def revise(self, record: RecordRequest) -> OutcomeView:
        """Changes a task of this host."""
        return await self._cluster.door.revise(record)

    async def open_bundle(self, digest: str) -> BinaryIO:
        """A bundle's archive; peers may have it before this host takes part, and after."""
        return await self._cluster.open_bundle(digest)
