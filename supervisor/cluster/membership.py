"""What the host asks of whoever knows the other hosts: Serf, or nobody in a cluster of one."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from supervisor.cluster.values import HostState, Member


@dataclass(frozen=True, slots=True)
class Burst:
    """What changed at about the same time, merged: the newest value of each member that is not as it was."""

    changed: tuple[Member, ...] = ()
    forgotten: tuple[str, ...] = ()  # ids of hosts that are members no more, not even failed or left ones

    def __bool__(self) -> bool:
        return bool(self.changed or self.forgotten)


class Membership(Protocol):
    """Entered once, left before the loop ends; the loop's thread only."""

    @property
    def own(self) -> Member:
        """This host; always alive."""

    @property
    def members(self) -> tuple[Member, ...]:
        """All that are known, this host among them, in the order of their ids."""

    @property
    def ended(self) -> frozenset[str]:
        """Ids of the hosts that will not come back, as an operator said."""

    @property
    def is_refused(self) -> bool:
        """Whether the others have another host of this one's id."""

    @property
    def is_current(self) -> bool:
        """Whether `members` is what the cluster says now. False: the agent starts, or is down, and they are as they
        were: nothing should be concluded from who failed."""

    @property
    def problem(self) -> str | None:
        """What keeps this host from the others, and what to do about it, for people. None: nothing."""

    def changes(self) -> AsyncIterator[Burst]:
        """What changes from now on; the first burst is all members. One reader."""

    def tell(self, state: HostState, *, room: bool) -> None:
        """Makes the others know, within seconds: only the newest counts if there are several."""

    async def leave(self) -> None:
        """Says goodbye to the others, in at most a few seconds. Nobody hears from this host afterwards."""

    async def forget(self, member: str) -> None:
        """Makes the whole cluster forget a host that failed or left. AgentError if that cannot be said now."""

    def use_keys(self, keys: Sequence[bytes]) -> None:
        """From now on these keys are accepted and the first is used; the others of the cluster are told."""
