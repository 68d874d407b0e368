"""Sizes, times and rates as people write them."""

import re
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from supervisor.spec.refused import Refused
from supervisor.spec.units import EXACT, RATE, SIZE, TIME, Quantity

QUANTITIES = st.sampled_from([SIZE, TIME, RATE])


@pytest.mark.parametrize(
    ("quantity", "written", "expected"),
    [
        (SIZE, "64MiB", 67_108_864),
        (SIZE, "64 mib", 67_108_864),
        (SIZE, "64MB", 64_000_000),
        (SIZE, "1kB", 1000),
        (SIZE, "1KiB", 1024),
        (SIZE, "1.5 GiB", 1_610_612_736),
        (SIZE, "12B", 12),
        (SIZE, 4096, 4096),
        (SIZE, 4096.0, 4096),
        (TIME, "50ms", 50),
        (TIME, "1500us", Fraction(3, 2)),
        (TIME, "1500\u00b5s", Fraction(3, 2)),
        (TIME, "1500\u03bcs", Fraction(3, 2)),
        (TIME, "1s", 1000),
        (TIME, ".5s", 500),
        (TIME, "2m", 120_000),
        (TIME, "2min", 120_000),
        (TIME, "1H", 3_600_000),
        (TIME, 0.25, Fraction(1, 4)),
        (RATE, "8mbit", 8_000_000),
        (RATE, "8 Mbit/s", 8_000_000),
        (RATE, "1gbit", 1_000_000_000),
        (RATE, "9600bit", 9600),
        (RATE, 9600, 9600),
    ],
)
def test_amounts(quantity: Quantity, written: object, expected: int) -> None:
    assert quantity.parse(written) == expected


@pytest.mark.parametrize("quantity", [SIZE, TIME, RATE])
@pytest.mark.parametrize(
    ("written", "says"),
    [
        (True, "not an amount"),
        (False, "not an amount"),
        (None, "null is not"),
        ([1], "a list is not"),
        ({}, "an object is not"),
        (float("nan"), "nan is not"),
        (float("inf"), "inf is not"),
        (float("-inf"), "-inf is not"),
        (-1, "negative"),
        ("-1 s", "not a unit|negative"),
        ("", "not a number with a unit"),
        ("12", "no unit"),
        ("ms", "not a number with a unit"),
        ("1e3ms", "not a unit"),
        ("1,5s", "not a number with a unit|not a unit"),
        ("1 parsec", "not a unit"),
        ("0x10B", "not a unit"),
        ("\u0661\u0662ms", "not a number"),
        (EXACT + 1, "above 2\\*\\*53"),
        ("9" * 4000 + "B", "not a number"),
    ],
)
def test_what_is_not_an_amount(quantity: Quantity, written: object, says: str) -> None:
    with pytest.raises(Refused, match=says) as caught:
        quantity.parse(written)
    assert quantity.counted in caught.value.allowed
    assert caught.value.remedy.startswith("write for example")


def test_a_plain_number_of_bytes_is_whole() -> None:
    with pytest.raises(Refused, match="must be whole"):
        SIZE.parse(1.5)


@given(QUANTITIES, st.data(), st.integers(0, 10**9), st.sampled_from(["", " "]))
def test_every_unit_scales_and_case_does_not_matter(
    quantity: Quantity, data: st.DataObject, count: int, space: str
) -> None:
    name, worth = data.draw(st.sampled_from(sorted(quantity.units.items())))
    spelled = data.draw(st.sampled_from([name, name.lower(), name.upper()]))
    if not name.isascii():
        spelled = name  # the upper case of the micro sign is the Greek letter's
    if count * worth > EXACT:
        with pytest.raises(Refused, match="above"):
            quantity.parse(f"{count}{space}{spelled}")
    else:
        assert quantity.parse(f"{count}{space}{spelled}") == count * worth


@given(QUANTITIES, st.one_of(st.text(), st.floats(), st.integers(), st.none(), st.booleans(), st.binary()))
def test_parsing_answers_or_refuses(quantity: Quantity, value: object) -> None:
    try:
        amount = quantity.parse(value)
    except Refused:
        return
    assert 0 <= amount <= EXACT


@given(QUANTITIES, st.from_regex(r"\A ?[0-9]{1,3}(\.[0-9])? ?[a-zA-Z/]{1,6}\Z") | st.text(max_size=12))
def test_the_pattern_for_editors_is_the_parser(quantity: Quantity, text: str) -> None:
    """An editor must not mark what the host takes, nor pass what it refuses for its form."""
    try:
        quantity.parse(text)
        parsed = True
    except Refused as refused:
        parsed = "above" in str(refused)
    assert bool(re.search(quantity.pattern(), text, re.ASCII)) == parsed


@given(QUANTITIES, st.integers(1, 10**12))
def test_told_amounts_are_near_what_they_tell(quantity: Quantity, amount: int) -> None:
    number, unit = quantity.tell(amount).split(" ")
    worth = dict(quantity.ladder)[unit]
    assert abs(float(number) * worth - amount) <= worth / 100


def test_told_amounts() -> None:
    assert SIZE.tell(64 * 2**20) == "64 MiB"
    assert SIZE.tell(10) == "10 bytes"
    assert TIME.tell(53.217) == "53.22 ms"
    assert TIME.tell(0.5) == "0.5 ms"
    assert RATE.tell(8_000_000) == "8 mbit/s"
