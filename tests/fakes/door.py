"""A host as its peers know it: a Door whose answers can be set, and everything that it was asked."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from supervisor.cluster.values import (
    Admitted,
    Booted,
    Claim,
    Full,
    Leased,
    Mode,
    Needs,
    Promised,
    Record,
    Refused,
    Revised,
    Version,
    Withheld,
)


def record_named(label: str = "shop", **fields: Any) -> Record:
    """A record."""
    base: dict[str, Any] = {
        "label": label, "epoch": 2, "revision": 3, "owner": "host-1", "settings": {"taskId": label, "env": {"A": "x"}},
        "bundle": "ab" * 32, "wanted": True, "needs": Needs(1 << 20, 1, (0, 1), ("host-1", "host-2")),
        "mode": Mode.STRICT, "guardians": ("host-2", "host-3"), "previous": ("host-4",),
    }  # fmt: skip
    return Record(**base | fields)


class FakeDoor:
    """A Door. `answers`: by the name of the call. `fail`: raised by the next call. `gate`: every call waits for it."""

    def __init__(self) -> None:
        self.answers: dict[str, Any] = {
            "admit": Admitted(),
            "boot": Booted(),
            "guard": None,
            "claim": Promised(),
            "lease": Leased(frozenset(), {}),
            "records": {},
            "retire": None,
            "grant": True,
            "find": None,
            "revise": Refused("not asked for"),
        }
        self.asked: list[tuple[Any, ...]] = []
        self.callers: list[str] = []  # of those that say who asks
        self.fail: BaseException | None = None
        self.gate: asyncio.Event | None = None

    async def admit(self, record: Record, caller: str = "") -> Admitted | Full | Refused:
        self.callers.append(caller)
        found: Admitted | Full | Refused = await self._answer("admit", record)
        return found

    async def boot(self, label: str, epoch: int) -> Booted | Refused:
        found: Booted | Refused = await self._answer("boot", label, epoch)
        return found

    async def guard(self, record: Record, caller: str = "") -> Withheld | None:
        self.callers.append(caller)
        found: Withheld | None = await self._answer("guard", record)
        return found

    async def claim(self, claim: Claim) -> Promised | Withheld:
        found: Promised | Withheld = await self._answer("claim", claim)
        return found

    async def lease(self, owner: str, held: Mapping[str, Version]) -> Leased:
        found: Leased = await self._answer("lease", owner, dict(held))
        return found

    async def records(self) -> Mapping[str, Version]:
        found: Mapping[str, Version] = await self._answer("records")
        return found

    async def retire(self, label: str, epoch: int) -> None:
        await self._answer("retire", label, epoch)

    async def grant(self, who: str) -> bool:
        found: bool = await self._answer("grant", who)
        return found

    async def find(self, label: str) -> Record | None:
        found: Record | None = await self._answer("find", label)
        return found

    async def revise(self, record: Record, caller: str = "") -> Revised | Refused:
        self.callers.append(caller)
        found: Revised | Refused = await self._answer("revise", record)
        return found

    async def _answer(self, name: str, *arguments: Any) -> Any:
        self.asked.append((name, *arguments))
        if self.gate is not None:
            await self.gate.wait()
        if self.fail is not None:
            error, self.fail = self.fail, None
            raise error
        return self.answers[name]
