"""Sizes, times and rates as people write them.

A plain number counts bytes, milliseconds or bits per second; a text needs a unit. Letter case never matters: a size
is never in bits and a rate never in bytes, so `64mib`, `64MiB` and `64MIB` can only mean one thing. `KiB MiB GiB TiB`
are powers of 1024; `kB MB GB TB` and `kbit mbit gbit` are powers of 1000.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from supervisor.spec.refused import Refused

EXACT = 2**53  # JavaScript and JSON readers hold whole numbers exactly up to here
UNLIMITED = "unlimited"  # stands for null, which TOML does not have

_TEXT = re.compile(r"\s*([+-]?)(\d{1,40}(?:\.\d{1,40})?|\.\d{1,40})\s*([^\d\s.]\S*)?\s*", re.ASCII)


@dataclass(frozen=True, slots=True)
class Quantity:
    """One kind of amount: its units, each worth so many of `counted`, and how an amount is told."""

    counted: str
    units: Mapping[str, Fraction]
    examples: str
    ladder: tuple[tuple[str, int], ...]  # units that amounts are told in, largest first
    fraction_digits: int = 0  # digits kept after the point of an amount of `counted`

    def parse(self, value: object) -> Fraction:
        """The amount in `counted`; raises Refused for what is not one, is negative or cannot be held exactly."""
        if isinstance(value, bool) or not isinstance(value, int | float | str):
            raise self._refused(f"{_kind(value)} is not an amount of {self.counted}")
        amount = self._text(value) if isinstance(value, str) else self._number(value)
        if amount < 0:
            raise self._refused("an amount cannot be negative")
        if amount > EXACT:
            raise self._refused(f"the amount is above 2**53 {self.counted}")
        scale = 10**self.fraction_digits
        return Fraction(round(amount * scale), scale)

    def pattern(self) -> str:
        """A regular expression for the texts that parse, in the dialect of JSON Schema (which has no flag for case)."""
        names = sorted(self.units, key=len, reverse=True)
        return r"^\s*\+?(\d+(\.\d+)?|\.\d+)\s*(" + "|".join(_any_case(name) for name in names) + r")\s*$"

    def tell(self, amount: float) -> str:
        """An amount of `counted` as a person reads it, rounded to hundredths of the largest fitting unit."""
        for name, unit in self.ladder:
            if amount >= unit:
                return f"{round(amount / unit, 2):.10g} {name}"
        name, unit = self.ladder[-1]
        return f"{amount / unit:.10g} {name}"

    def _number(self, value: float) -> Fraction:
        if not math.isfinite(value):
            raise self._refused(f"{value} is not an amount")
        amount = Fraction(value)
        if self.fraction_digits == 0 and amount.denominator != 1:
            raise self._refused(f"a plain number of {self.counted} must be whole")
        return amount

    def _text(self, value: str) -> Fraction:
        match = _TEXT.fullmatch(value)
        if match is None:
            raise self._refused("the text is not a number with a unit")
        sign, digits, unit = match.groups()
        if unit is None:
            raise self._refused("the text has no unit")
        factor = {name.lower(): worth for name, worth in self.units.items()}.get(unit.lower())
        if factor is None:
            raise self._refused(f"{unit!r} is not a unit here")
        return Fraction(digits) * factor * (-1 if sign == "-" else 1)

    def _refused(self, message: str) -> Refused:
        names = ", ".join(name for name in self.units if name.isascii())
        allowed = f"a number of {self.counted}, or a text with one of the units {names}"
        return Refused(message, allowed=allowed, remedy=f"write for example {self.examples}")


def _any_case(name: str) -> str:
    return "".join(f"[{c.lower()}{c.upper()}]" if c.isascii() and c.isalpha() else c for c in name)


def _kind(value: object) -> str:
    names = {type(None): "null", bool: "true or false", list: "a list", dict: "an object", tuple: "a list"}
    return names.get(type(value), f"a {type(value).__name__}")


def _powers(base: int, names: str) -> dict[str, Fraction]:
    return {name: Fraction(base**power) for power, name in enumerate(names.split(), start=1)}


SIZE = Quantity(
    counted="bytes",
    units={"B": Fraction(1)} | _powers(1024, "KiB MiB GiB TiB") | _powers(1000, "kB MB GB TB"),
    examples="'64MiB' or 67108864",
    ladder=(("TiB", 2**40), ("GiB", 2**30), ("MiB", 2**20), ("KiB", 2**10), ("bytes", 1)),
)
TIME = Quantity(
    counted="milliseconds",
    units={
        "us": Fraction(1, 1000),
        "\u00b5s": Fraction(1, 1000),  # the micro sign; its lower case is itself
        "\u03bcs": Fraction(1, 1000),  # the Greek letter, which keyboards and editors also make
        "ms": Fraction(1),
        "s": Fraction(1000),
        "m": Fraction(60_000),
        "min": Fraction(60_000),
        "h": Fraction(3_600_000),
    },
    examples="'50ms', '1.5s' or 50",
    ladder=(("h", 3_600_000), ("min", 60_000), ("s", 1000), ("ms", 1)),
    fraction_digits=3,  # microseconds
)
RATE = Quantity(
    counted="bits per second",
    units={"bit": Fraction(1), "bit/s": Fraction(1)}
    | _powers(1000, "kbit mbit gbit")
    | _powers(1000, "kbit/s mbit/s gbit/s"),
    examples="'8mbit' or 8000000",
    ladder=(("gbit/s", 10**9), ("mbit/s", 10**6), ("kbit/s", 1000), ("bit/s", 1)),
)
