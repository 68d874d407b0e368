"""A cluster of one: a host without cluster settings. It needs no agent, no port and no key."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from typing import Self

from supervisor.cluster.membership import Burst
from supervisor.cluster.values import HostState, Member


class Alone:
    """Implements Membership."""

    def __init__(self, own: Member) -> None:
        self._own = own
        self._changed = asyncio.Event()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exception: object) -> None:
        """Nobody hears of it."""

    @property
    def own(self) -> Member:
        """This host."""
        return self._own

    @property
    def members(self) -> tuple[Member, ...]:
        """Just this host."""
        return (self._own,)

    @property
    def ended(self) -> frozenset[str]:
        """Nobody: there is nobody else."""
        return frozenset()

    @property
    def is_refused(self) -> bool:
        """Never."""
        return False

    @property
    def is_current(self) -> bool:
        """Always."""
        return True

    @property
    def problem(self) -> str | None:
        """None."""
        return None

    async def changes(self) -> AsyncIterator[Burst]:
        """This host, whenever it says something new about itself."""
        self._changed.set()
        while True:
            await self._changed.wait()
            self._changed.clear()
            yield Burst((self._own,))

    def tell(self, state: HostState, *, room: bool) -> None:
        """Changes `own`."""
        told = replace(self._own, state=state, room=room)
        if told != self._own:
            self._own = told
            self._changed.set()

    async def leave(self) -> None:
        """There is nobody to say goodbye to."""

    async def forget(self, member: str) -> None:
        """There is nobody to forget."""

    def use_keys(self, keys: Sequence[bytes]) -> None:
        """There is nobody to share them with."""
