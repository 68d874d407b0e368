"""What the peer door asks of the host, beyond what the control API does: implemented by the composition root."""

from __future__ import annotations

from typing import BinaryIO, Protocol

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


class PeerControl(Protocol):
    """Loop thread; every call may come twice. Refusals are ControlErrors: the caller takes the host for silent."""

    async def admit(self, record: RecordRequest) -> OutcomeView:
        """Reserves room for a task: admitted, full or refused."""

    async def boot(self, request: BootRequest) -> OutcomeView:
        """Boots what was admitted: booted, once it answers requests, or refused."""

    async def guard(self, record: RecordRequest) -> WordView:
        """Keeps a record, or says what is newer."""

    async def claim(self, request: ClaimRequest) -> WordView:
        """Whether the claimant may place a task anew."""

    async def lease(self, request: LeaseRequest) -> LeasedView:
        """Which tasks their owner may go on running."""

    async def owned(self) -> OwnedView:
        """The tasks that this host owns."""

    async def retire(self, request: RetireRequest) -> None:
        """Stops a copy that is older than another."""

    async def grant(self, request: GrantRequest) -> GrantedView:
        """Whether a host may go home."""

    async def find(self, label: str) -> FoundView:
        """The newest record of a task."""

    async def revise(self, record: RecordRequest) -> OutcomeView:
        """Changes a task at its owner, this host: revised or refused."""

    async def open_bundle(self, digest: str) -> BinaryIO:
        """Its archive, seekable and at the beginning; the caller closes it. Unknown."""
