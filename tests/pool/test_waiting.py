"""Requests that wait for their isolate."""

from __future__ import annotations

from supervisor.pool.waiting import MOST_WAITING, WaitingRequest, WaitingRoom
from tests.fakes.exchange import FakeExchange
from tests.fakes.isolates import FakeIsolate, FakeIsolates
from tests.fakes.listener import FakeListener


def waiting(exchange: FakeExchange | None = None) -> WaitingRequest:
    return WaitingRequest(exchange or FakeExchange(), 4, b"POST", b"/", b"a\nb\n", b"")


def isolate() -> FakeIsolate:
    return FakeIsolates().create(FakeListener())


def test_all_are_handed_over_in_the_order_they_came_with_what_came_of_their_bodies() -> None:
    room, ready = WaitingRoom(), isolate()
    for number in (3, 5, 9):
        room.add(number, waiting())
    five = room.get(5)
    assert five is not None
    five.chunks += [b"one ", b"two"]
    five.ended = True
    nine = room.get(9)
    assert nine is not None
    nine.failed = True
    room.hand_over(ready)
    assert list(ready.exchanges) == [3, 5, 9]
    assert (ready.taken[3].body, ready.taken[3].ended, ready.taken[3].failed) == (b"", False, False)
    assert (ready.taken[5].body, ready.taken[5].ended, ready.taken[5].failed) == (b"one two", True, False)
    assert ready.taken[9].failed
    assert (ready.taken[3].flags, ready.taken[3].method, ready.taken[3].headers) == (4, b"POST", b"a\nb\n")
    assert len(room) == 0


def test_one_that_was_taken_out_is_not_handed_over() -> None:
    room, ready = WaitingRoom(), isolate()
    room.add(1, waiting())
    assert room.take(1) is not None
    assert room.take(1) is None
    assert room.get(1) is None
    room.hand_over(ready)
    assert not ready.exchanges


def test_an_isolate_that_is_over_takes_none() -> None:
    room, gone = WaitingRoom(), isolate()
    gone.vanish()
    for number in (1, 2):
        room.add(number, waiting())
    room.hand_over(gone)
    assert room.numbers() == [1, 2]


def test_all_leave_at_once_oldest_first() -> None:
    room = WaitingRoom()
    exchanges = [FakeExchange() for _ in range(3)]
    for number, exchange in enumerate(exchanges, 1):
        room.add(number, waiting(exchange))
    assert [each.exchange for each in room.leave()] == exchanges
    assert room.numbers() == []


def test_it_is_full_at_its_ceiling() -> None:
    room = WaitingRoom()
    for number in range(MOST_WAITING):
        assert room.has_room(0)
        room.add(number, waiting())
    assert not room.has_room(0)
    room.take(0)
    assert room.has_room(0)
    assert not room.has_room(1), "those at the isolate count, too"
    assert WaitingRoom(None).has_room(10**9)


def test_only_the_oldest_go_ahead() -> None:
    room, booting = WaitingRoom(), isolate()
    for number in (3, 5, 9):
        room.add(number, waiting())
    room.hand_over(booting, 2)
    assert list(booting.exchanges) == [3, 5]
    assert room.numbers() == [9]
