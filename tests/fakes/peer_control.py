"""A host as its peer door asks it: answers that can be set, and everything that was asked."""

from __future__ import annotations

import asyncio
import io
from typing import Any, BinaryIO

from supervisor.errors import Unknown
from supervisor.spec.peer_views import (
    BootRequest,
    CapacityView,
    ClaimRequest,
    FoundView,
    GrantedView,
    GrantRequest,
    LeasedView,
    LeaseRequest,
    NeedsView,
    OutcomeView,
    OwnedView,
    RecordRequest,
    RetireRequest,
    VersionView,
    WithheldView,
    WordView,
)


def a_record(label: str = "shop", **fields: Any) -> RecordRequest:
    """A record for the wire."""
    base: dict[str, Any] = {
        "label": label, "epoch": 1, "revision": 1, "owner": "host-1", "bundle": None, "wanted": True,
        "settings": {"taskId": label, "env": {"SECRET": "x"}}, "mode": "strict",
        "needs": NeedsView(memory=1 << 20, cores=(0, 1), hosts=("host-1", "host-2")),
    }  # fmt: skip
    return RecordRequest(**base | fields)


class FakePeerControl:
    """A PeerControl. `fail`: raised by the next call. `gate`: guard waits for it."""

    def __init__(self) -> None:
        self.records: dict[str, RecordRequest] = {}
        self.claims: dict[tuple[str, int], str] = {}
        self.bundles: dict[str, bytes] = {}
        self.archives: list[BinaryIO] = []
        self.full = False
        self.calls: list[tuple[str, Any]] = []
        self.fail: BaseException | None = None
        self.gate: asyncio.Event | None = None

    async def admit(self, record: RecordRequest) -> OutcomeView:
        self._called("admit", record)
        if self.full:
            return OutcomeView(outcome="full", free=CapacityView(memory=5, isolates=None, cores=(2,)))
        return OutcomeView(outcome="admitted")

    async def boot(self, request: BootRequest) -> OutcomeView:
        self._called("boot", request)
        return OutcomeView(outcome="refused", problem="it was not admitted")

    async def guard(self, record: RecordRequest) -> WordView:
        self._called("guard", record)
        if self.gate is not None:
            await self.gate.wait()
        known = self.records.get(record.label)
        if known is not None and known.epoch > record.epoch:
            return WordView(withheld=WithheldView(newer=known, epoch=known.epoch))
        self.records[record.label] = record
        return WordView(withheld=None)

    async def claim(self, request: ClaimRequest) -> WordView:
        self._called("claim", request)
        winner = self.claims.setdefault((request.label, request.epoch), request.claimant)
        held = WithheldView(newer=None, epoch=request.epoch)
        return WordView(withheld=None if winner == request.claimant else held)

    async def lease(self, request: LeaseRequest) -> LeasedView:
        self._called("lease", request)
        return LeasedView(renewed=tuple(sorted(request.held)), superseded={"other": 9})

    async def owned(self) -> OwnedView:
        self._called("owned", None)
        return OwnedView(
            tasks={label: VersionView(epoch=r.epoch, revision=r.revision) for label, r in self.records.items()}
        )

    async def retire(self, request: RetireRequest) -> None:
        self._called("retire", request)

    async def grant(self, request: GrantRequest) -> GrantedView:
        self._called("grant", request)
        return GrantedView(granted=request.who != "host-1")

    async def find(self, label: str) -> FoundView:
        self._called("find", label)
        return FoundView(record=self.records.get(label))

    async def revise(self, record: RecordRequest) -> OutcomeView:
        self._called("revise", record)
        return OutcomeView(outcome="revised", record=record)

    async def open_bundle(self, digest: str) -> BinaryIO:
        self._called("open_bundle", digest)
        if digest not in self.bundles:
            raise Unknown("there is no such bundle")
        self.archives.append(io.BytesIO(self.bundles[digest]))
        return self.archives[-1]

    def asked(self, name: str) -> list[Any]:
        """What came with all calls of `name`."""
        return [value for each, value in self.calls if each == name]

    def _called(self, name: str, value: Any) -> None:
        self.calls.append((name, value))
        if self.fail is not None:
            error, self.fail = self.fail, None
            raise error
