"""For which images this host started again: kept, since it has to know it when it comes back without one."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Callable

from supervisor.cluster.rollout import went_in_vain
from supervisor.cluster.rules import Rules
from supervisor.state.errors import StoreError
from supervisor.state.store import Store

WENT_FOR = "wentFor"  # the store's key


class Updates:
    """Image -> when this host went for it, in seconds since 1970: the clock goes on while the machine starts again.

    What is older than a day is forgotten, and so is the image that the host has: it got it. Loop thread.
    """

    def __init__(self, store: Store, image: str, rules: Rules, clock: Callable[[], float] = time.time) -> None:
        """`image`: the one that the host has."""
        self._store = store
        self._image = image
        self._rules = rules
        self._clock = clock

    async def in_vain(self) -> dict[str, float] | None:
        """The images that it went for within a day and came back without; and how many seconds ago. StoreError.

        None: the state is new, so it does not know.
        """
        is_new = await self._store.get_meta(WENT_FOR) is None
        went = await self._went()
        if went.pop(self._image, None) is not None or is_new:
            with contextlib.suppress(StoreError):  # a full disk keeps no host from its start
                await self._keep(went)  # a start later it may be without it again, and has not gone for it in vain
        if is_new:
            return None
        return went_in_vain(went, self._image, self._clock(), self._rules)

    async def note(self, image: str) -> None:
        """It goes for that one now. StoreError."""
        now = self._clock()
        vain = went_in_vain(await self._went(), self._image, now, self._rules)
        await self._keep({each: now - ago for each, ago in vain.items()} | {image: now})

    async def forget(self, image: str) -> None:
        """It did not start again: to have gone for that one says nothing. StoreError."""
        went = await self._went()
        if went.pop(image, None) is not None:
            await self._keep(went)

    async def _went(self) -> dict[str, float]:
        return went_from(await self._store.get_meta(WENT_FOR))

    async def _keep(self, went: dict[str, float]) -> None:
        await self._store.put_meta(WENT_FOR, json.dumps(went))


def went_from(text: str | None) -> dict[str, float]:
    """What was kept; what cannot be read counts as nothing."""
    try:
        return {image: float(at) for image, at in json.loads(text or "{}").items()}
    except ValueError, TypeError, AttributeError, OverflowError, RecursionError:
        return {}
