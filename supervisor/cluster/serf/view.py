"""What this host knows of the others, from what its agent lists and reports. Pure: time is a parameter.

An agent that was started anew knows nobody who is dead: it forgets the failed, and until it has joined again it knows
nobody at all. So who is missing from a list is not gone. This remembers them, and so does the next process (known.py).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from supervisor.cluster.membership import Burst
from supervisor.cluster.serf.seen import Seen
from supervisor.cluster.serf.tags import member_of
from supervisor.cluster.values import HostState, Member, MemberState

# Who failed is as one that left after so long, which is as long as Serf itself remembers it. Only an operator makes a
# host unknown: it may guard strict tasks, of which each side of a long partition would have a copy.
GIVE_UP_S = 24 * 3600.0
SAME_BOOT_S = 1.0  # tags have milliseconds
ENDING_S = 60.0  # some hear that a host will not come back before they know that it failed


class View:
    """Members by id, and which of them nobody was told of yet. Times are the caller's monotonic seconds."""

    def __init__(self, own: Member, known: Iterable[Member] = (), ended: Iterable[str] = ()) -> None:
        self._own = own.id
        self._members = {member.id: member for member in known}
        self._members[own.id] = own
        self._untold = dict.fromkeys(self._members)
        self._foreign: dict[str, Seen] = {}
        self._addresses: dict[str, str] = {}
        self._ended = set(ended)  # an operator's word, which agents do not know of
        self._ending: dict[str, float] = {}  # the same of hosts that seem alive, and until when it holds

    @property
    def own(self) -> Member:
        """This host."""
        return self._members[self._own]

    @property
    def members(self) -> tuple[Member, ...]:
        """All, by id."""
        return tuple(self._members[name] for name in sorted(self._members))

    @property
    def ended(self) -> frozenset[str]:
        """Ids of the hosts that will not come back, as an operator said; those that did are not among them."""
        return frozenset(self._ended)

    @property
    def others_alive(self) -> bool:
        """Whether anybody else is."""
        return any(each.alive is MemberState.ALIVE and each.id != self._own for each in self._members.values())

    @property
    def addresses(self) -> list[str]:
        """Where the agents of the others were, of those that did not leave."""
        left = {each.id for each in self._members.values() if each.alive is MemberState.LEFT}
        return [address for name, address in self._addresses.items() if name not in left]

    def tell(self, state: HostState, *, room: bool) -> bool:
        """This host changed; whether that is new."""
        return self._put(replace(self.own, state=state, room=room))

    def see(self, seen: Iterable[Seen], now: float) -> list[Seen]:
        """The agent says these are so now. Returns those that are no hosts of ours and were not seen before."""
        strangers = []
        for each in seen:
            if each.name == self._own:
                continue  # it cannot know better
            if self._is_ended(each, now):
                continue
            before = self._members.get(each.name)
            member = member_of(each, now)
            if member is not None:
                self._addresses[each.name] = each.address
                same = before is not None and before.alive is member.alive
                self._put(replace(member, since=before.since) if same and before is not None else member)
            elif before is not None and each.state is not None:
                self._turn(before, each.state, now)  # its last good tags are better than none
            elif self._foreign.get(each.name) != each and each.state is MemberState.ALIVE:
                self._foreign[each.name] = each
                strangers.append(each)
        return strangers

    def miss(self, listed: Iterable[Seen], now: float) -> None:
        """Whoever the agent has not listed after it had time to find everybody: alive ones failed."""
        names = {each.name for each in listed}
        for member in list(self._members.values()):
            if member.id in names or member.id == self._own:
                continue
            if member.alive is MemberState.ALIVE:
                self._turn(member, MemberState.FAILED, now)
            elif now - member.since >= GIVE_UP_S:
                self.give_up(member.id, now)

    def give_up(self, name: str, now: float) -> None:
        """Its agent has forgotten it: nobody expects it any more."""
        member = self._members.get(name)
        if member is not None and name != self._own:
            self._turn(member, MemberState.LEFT, now)

    def forget(self, name: str) -> None:
        """It is a member no more."""
        self._foreign.pop(name, None)
        self._addresses.pop(name, None)
        if name != self._own and self._members.pop(name, None) is not None:
            self._untold[name] = None

    def end(self, name: str, boot_time: float, now: float) -> None:
        """It failed or left, and will not come back: it is a member no more, unless it did since that was said."""
        member = self._members.get(name)
        if member is not None and member.boot_time > boot_time + SAME_BOOT_S:
            return
        if member is not None and member.alive is MemberState.ALIVE:
            self._ending[name] = now + ENDING_S
        else:
            self._ended.add(name)
            self.forget(name)

    def burst(self) -> Burst:
        """What changed since the last time this was called."""
        untold, self._untold = self._untold, {}
        return Burst(
            tuple(self._members[name] for name in untold if name in self._members),
            tuple(name for name in untold if name not in self._members),
        )

    def untold(self) -> None:
        """The next burst has everybody: there is a new reader."""
        self._untold = dict.fromkeys(sorted(self._members)) | self._untold

    def _is_ended(self, seen: Seen, now: float) -> bool:
        if seen.state is MemberState.ALIVE:
            self._ended.discard(seen.name)
        elif seen.state is not None and self._ending.pop(seen.name, now) > now:
            self._ended.add(seen.name)
            self.forget(seen.name)
        return seen.name in self._ended

    def _turn(self, member: Member, alive: MemberState, now: float) -> None:
        if member.alive is not alive:
            self._put(replace(member, alive=alive, since=now))

    def _put(self, member: Member) -> bool:
        if self._members.get(member.id) == member:
            return False
        self._members[member.id] = member
        self._untold[member.id] = None
        return True
