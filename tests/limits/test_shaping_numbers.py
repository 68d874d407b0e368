"""Numbers of classes, their paces, and which interfaces carry what: pure."""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as some

from supervisor.limits.shaping.carriers import Interface, carriers, passing_by
from supervisor.limits.shaping.handles import MINOR_MAX, minor_of, minors, pace, priority
from supervisor.spec.limits import BANDWIDTH

LO = Interface(1, "lo", up=True, loopback=True, addresses=frozenset({"127.0.0.1", "::1"}))
INNER = Interface(2, "inner", up=True, loopback=False, addresses=frozenset({"10.0.0.1", "fe80::1"}))
OUTER = Interface(3, "outer", up=True, loopback=False, addresses=frozenset({"192.0.2.1"}), outward=True)
DOWN = Interface(4, "down", up=False, loopback=False, addresses=frozenset({"10.9.9.9"}))
BARE = Interface(5, "bare", up=True, loopback=False, addresses=frozenset())
MACHINE = [LO, INNER, OUTER, DOWN, BARE]


def names(*addresses: str) -> list[str]:
    return [each.name for each in carriers(addresses, MACHINE)]


def test_an_address_is_carried_by_its_interface_and_by_those_that_lead_out() -> None:
    assert names("10.0.0.1") == ["inner", "outer"]
    assert names("192.0.2.1") == ["outer"]
    assert names("fe80::1%inner") == ["inner", "outer"]


def test_loopback_carries_its_own_addresses_alone() -> None:
    assert names("127.0.0.1") == names("127.0.0.53") == names("::1") == ["lo"]
    assert names("127.0.0.1", "192.0.2.1") == ["lo", "outer"]


def test_any_address_and_one_that_nobody_has_are_carried_by_all_that_are_up() -> None:
    assert names("0.0.0.0") == names("::") == names("203.0.113.7") == ["inner", "lo", "outer"]
    assert names() == []


def test_an_address_passes_by_the_interfaces_that_are_named_unless_it_answers_by_one_of_them() -> None:
    addresses = ("10.0.0.1", "127.0.0.1", "192.0.2.1", "203.0.113.7", "0.0.0.0", "::")
    assert passing_by(addresses, MACHINE, {"outer"}) == {"127.0.0.1": ["lo"]}
    assert passing_by(addresses, MACHINE, {"lo"}) == {"10.0.0.1": ["inner", "outer"], "192.0.2.1": ["outer"]}
    assert passing_by(("0.0.0.0", "::"), MACHINE, {"down"}) == {}
    assert passing_by(addresses, [DOWN, BARE], {"down"}) == {}


@given(some.integers(0, 10**6))
def test_every_number_comes_once_and_those_of_ordinary_traffic_first(start: int) -> None:
    first = list(itertools.islice(minors(start), 4_095))
    assert len(set(first)) == 4_095
    assert all(minor & 0xF == 0 and 0 < minor <= MINOR_MAX for minor in first)


def test_all_of_them() -> None:
    assert sorted(minors(12345)) == list(range(1, MINOR_MAX + 1))


@given(some.integers(1, MINOR_MAX))
def test_a_priority_is_a_handle_and_fits_the_option(minor: int) -> None:
    assert minor_of(priority(minor)) == minor
    assert 6 < priority(minor) < 2**31


@given(some.integers(0, 2**32 - 1))
def test_other_peoples_handles_are_not_ours(handle: int) -> None:
    assert minor_of(handle) is None or handle >> 16 == 0x15A1


@given(some.integers(BANDWIDTH.low, BANDWIDTH.high))
def test_a_class_can_send_a_whole_packet_and_keep_up_with_a_late_timer(bits_per_s: int) -> None:
    it = pace(bits_per_s)
    assert it.rate == bits_per_s // 8
    assert it.burst >= max(16_384, it.rate // 1_000)
    assert 3_000 <= it.quantum <= 60_000
    assert it.burst / it.rate * 1e9 / 64 < 2**32  # what the kernel holds: units of 64 ns in 32 bits
