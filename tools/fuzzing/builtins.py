"""Every built-in that a program can reach, as builtins.txt lists them, and how each is written as a call."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).parent
TABLE = FOLDER / "builtins.txt"
WALK = FOLDER / "walk.js"  # prints what TABLE holds
# Ends the program, or waits for nothing: too dull to be met often.
DULL = {"exit"}


class Kind(Enum):
    """What can be done with a built-in."""

    CALL = auto()
    READ = auto()
    WRITE = auto()


@dataclass(frozen=True, slots=True)
class Builtin:
    """A function or an accessor. `owner`: the object that has it, as a path, or a name with % for one without."""

    owner: str
    name: str
    kind: Kind
    length: int = 0

    @property
    def is_method(self) -> bool:
        """Whether it wants a receiver of its own class."""
        return self.owner.endswith(".prototype") or self.owner.startswith("%")

    @property
    def family(self) -> str:
        """The class it belongs to; its receivers and likely arguments are listed under this name."""
        return self.name if self.owner == "globalThis" else self.owner.removesuffix(".prototype")

    @property
    def is_class(self) -> bool:
        """Whether it may be called with `new`."""
        return self.kind is Kind.CALL and self.name[:1].isupper() and not self.is_method

    @property
    def access(self) -> str:
        """What stands after the receiver."""
        return f"[Symbol.{self.name[2:]}]" if self.name.startswith("@@") else f".{self.name}"

    @property
    def path(self) -> str:
        """The expression of a function that is not a method of a hidden class."""
        return self.name if self.owner == "globalThis" else f"{self.owner}{self.access}"


def parse(line: str) -> list[Builtin]:
    """Returns the built-ins of one line of the table."""
    owner, _, words = line.partition(": ")
    return [_of_word(owner, word) for word in words.split()]


def _of_word(owner: str, word: str) -> Builtin:
    if word.endswith("?"):
        return Builtin(owner, word[:-1], Kind.READ)
    if word.endswith("="):
        return Builtin(owner, word[:-1], Kind.WRITE)
    name, _, length = word.rpartition("/")
    return Builtin(owner, name, Kind.CALL, int(length))


@cache
def all_builtins() -> tuple[Builtin, ...]:
    """Returns all, in the table's order."""
    found = [each for line in TABLE.read_text().splitlines() for each in parse(line)]
    return tuple(each for each in found if each.name not in DULL)
