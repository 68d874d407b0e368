"""Bounds of a host: who gets a place, who gives way, and who is refused."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from supervisor.pool.room import ASK_AGAIN_S, UNLIMITED_COUNTS_AS, Place, PoolLimits, Room, memory_of
from supervisor.spec.limits import MemoryLimits
from tests.fakes.virtual_time import on_virtual_time


@dataclass(eq=False)
class FakeGuest:
    """Implements Guest."""

    name: str = ""
    may_give_way: bool = True
    last_asked: int = 0
    gives_way: bool = False
    rooms: int = 0
    log: list[str] = field(default_factory=list)

    def give_way(self) -> None:
        self.gives_way = True
        self.log.append(self.name)

    def on_room(self) -> None:
        self.rooms += 1


def room_of(isolates: int | None = None, memory: int | None = None) -> Room:
    return Room(PoolLimits(isolates, memory), asyncio.get_running_loop())


async def turn() -> None:
    await asyncio.sleep(0)
    await asyncio.sleep(0)


@on_virtual_time
async def test_without_bounds_everybody_has_a_place() -> None:
    room = room_of()
    assert {room.enter(FakeGuest(), 10**12) for _ in range(100)} == {Place.TAKEN}
    assert (room.isolates, room.memory) == (100, 10**14)


@on_virtual_time
async def test_the_one_asked_longest_ago_gives_way_and_its_place_is_passed_on() -> None:
    room = room_of(isolates=2)
    old, young, guest = FakeGuest(last_asked=1), FakeGuest(last_asked=2), FakeGuest()
    room.enter(young, 1)
    room.enter(old, 1)
    assert room.enter(guest, 1) is Place.PROMISED
    assert (old.gives_way, young.gives_way) == (True, False)
    await turn()
    assert (guest.rooms, room.isolates) == (0, 2), "never more than the bound, also for a moment"
    room.leave(old)
    await turn()
    assert (guest.rooms, room.isolates) == (1, 2)


@on_virtual_time
async def test_who_is_at_work_does_not_give_way() -> None:
    room = room_of(isolates=1)
    busy, guest = FakeGuest(may_give_way=False), FakeGuest()
    room.enter(busy, 1)
    assert room.enter(guest, 1) is Place.NONE
    assert not room.is_waiting(guest)
    assert not busy.gives_way


@on_virtual_time
async def test_a_flood_at_a_full_host_asks_nobody_for_a_while() -> None:
    room = room_of(isolates=1)
    busy = FakeGuest(may_give_way=False)
    room.enter(busy, 1)
    assert room.enter(FakeGuest(), 1) is Place.NONE
    busy.may_give_way = True
    assert room.enter(FakeGuest(), 1) is Place.NONE
    await asyncio.sleep(ASK_AGAIN_S)
    assert room.enter(FakeGuest(), 1) is Place.PROMISED


@on_virtual_time
async def test_memory_is_a_bound_of_its_own_and_several_may_have_to_give_way() -> None:
    room = room_of(memory=100)
    small = [FakeGuest(last_asked=number) for number in range(4)]
    for each in small:
        assert room.enter(each, 25) is Place.TAKEN
    assert room.enter(FakeGuest(), 40) is Place.PROMISED
    assert [each.gives_way for each in small] == [True, True, False, False]


@on_virtual_time
async def test_nobody_gives_way_for_one_that_can_never_fit() -> None:
    room = room_of(memory=100)
    guests = [FakeGuest() for _ in range(4)]
    for each in guests:
        room.enter(each, 25)
    assert room.enter(FakeGuest(), 101) is Place.NONE
    assert not any(each.gives_way for each in guests)


@on_virtual_time
async def test_two_that_wait_have_two_give_way_and_go_in_the_order_they_came() -> None:
    room = room_of(isolates=2)
    inside, waiting = [FakeGuest(), FakeGuest()], [FakeGuest(), FakeGuest()]
    for each in inside:
        room.enter(each, 1)
    assert [room.enter(each, 1) for each in waiting] == [Place.PROMISED] * 2
    assert all(each.gives_way for each in inside)
    assert room.enter(FakeGuest(), 1) is Place.NONE
    room.leave(inside[1])
    await turn()
    assert [each.rooms for each in waiting] == [1, 0]
    room.leave(inside[0])
    await turn()
    assert [each.rooms for each in waiting] == [1, 1]


@on_virtual_time
async def test_who_does_not_want_its_place_any_longer_leaves_the_line() -> None:
    room = room_of(isolates=1)
    inside, gone, next_one = FakeGuest(), FakeGuest(), FakeGuest()
    room.enter(inside, 1)
    room.enter(gone, 1)
    room.leave(gone)
    room.leave(gone)
    assert room.enter(next_one, 1) is Place.PROMISED, "the place that was made for it is there for others"
    room.leave(inside)
    await turn()
    assert (gone.rooms, next_one.rooms) == (0, 1)


@on_virtual_time
async def test_one_that_leaves_by_itself_makes_room_without_anybody_giving_way() -> None:
    room = room_of(isolates=2)
    resting, other = FakeGuest(), FakeGuest()
    room.enter(resting, 1)
    room.enter(other, 1)
    room.note_leaving(resting)
    room.note_leaving(FakeGuest())
    assert room.enter(FakeGuest(), 1) is Place.PROMISED
    assert not resting.gives_way
    assert not other.gives_way


class Crowd:
    """Guests who come, work, rest and go; after every step the room's counts are what they should be."""

    def __init__(self, isolates: int, memory: int) -> None:
        self.room = room_of(isolates, memory)
        self.guests = [FakeGuest(str(number)) for number in range(8)]
        self.inside: dict[FakeGuest, int] = {}
        self.waiting: set[FakeGuest] = set()

    def enter(self, guest: FakeGuest) -> None:
        if guest in self.inside or guest in self.waiting:
            return
        place = self.room.enter(guest, self._memory(guest))
        guest.gives_way = False
        if place is Place.TAKEN:
            self.inside[guest] = self._memory(guest)
        elif place is Place.PROMISED:
            self.waiting.add(guest)

    def leave(self, guest: FakeGuest) -> None:
        self.room.leave(guest)
        self.inside.pop(guest, None)
        self.waiting.discard(guest)

    def work(self, guest: FakeGuest) -> None:
        guest.may_give_way = False

    def rest(self, guest: FakeGuest) -> None:
        guest.may_give_way = True

    async def settle(self) -> None:
        await turn()
        for each in [each for each in self.waiting if each.rooms]:
            self.waiting.discard(each)
            self.inside[each], each.rooms = self._memory(each), 0
        assert self.room.isolates == len(self.inside)
        assert self.room.memory == sum(self.inside.values())

    async def all_give_way(self) -> None:
        """Who was asked to, goes; those that come in instead may have been asked as well."""
        while asked := [each for each in self.inside if each.gives_way]:
            for guest in asked:
                self.leave(guest)
            await self.settle()

    def _memory(self, guest: FakeGuest) -> int:
        return 1 + self.guests.index(guest) % 3


@given(
    st.integers(1, 4),
    st.integers(1, 10),
    st.lists(st.tuples(st.sampled_from(["enter", "enter", "leave", "work", "rest"]), st.integers(0, 7)), max_size=60),
)
def test_no_bound_is_ever_exceeded_and_every_promise_is_kept(
    isolates: int, memory: int, steps: list[tuple[str, int]]
) -> None:
    @on_virtual_time
    async def check() -> None:
        crowd = Crowd(isolates, memory)
        for step, number in steps:
            getattr(crowd, step)(crowd.guests[number])
            await crowd.settle()
            assert crowd.room.isolates <= isolates
            assert crowd.room.memory <= memory
        await crowd.all_give_way()
        assert not crowd.waiting

    check()


def test_limits_that_are_null_count_as_the_default() -> None:
    assert memory_of(MemoryLimits(heap=None, external=5 * 2**20)) == UNLIMITED_COUNTS_AS + 5 * 2**20
    assert memory_of(MemoryLimits()) == 2 * UNLIMITED_COUNTS_AS


@pytest.mark.parametrize("bound", ["isolates", "memory", "queue"])
def test_a_bound_of_nothing_is_refused(bound: str) -> None:
    with pytest.raises(ValueError, match=f"{bound} is 0"):
        PoolLimits(**{bound: 0})
