"""A program with its arguments, written as one text; no shell ever sees it."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from supervisor.spec.refused import Refused

LENGTH = 4096  # characters of a whole command: more belongs into a script
ALLOWED = "a program and its arguments, as in a shell but without one: only quotes and \\ mean something"
_SHELL = frozenset(("|", "||", "&", "&&", ">", ">>", "<", "<<", "2>", "2>&1"))  # as words of their own
_QUOTED = re.compile(r"""'[^']*'|"(?:\\.|[^"\\])*"|\\.""")


def parse_words(value: object) -> tuple[str, ...]:
    """The words of a command, at least one; raises Refused."""
    if not isinstance(value, str) or not value.isprintable() or len(value) > LENGTH:
        remedy = f"write it in quotes, on one line of at most {LENGTH} characters"
        raise Refused("not a command", allowed=ALLOWED, remedy=remedy)
    try:
        words = tuple(shlex.split(value))
    except ValueError:
        remedy = "close the quotes; \\ takes the meaning from the character after it"
        raise Refused("a quote or a \\ has no end", allowed=ALLOWED, remedy=remedy) from None
    if not words or not words[0]:
        raise Refused("no program is named", allowed=ALLOWED, remedy="write for example '/usr/local/bin/switch on 7'")
    if _SHELL.intersection(_QUOTED.sub("x", value).split()):
        raise Refused("there is no shell", allowed=ALLOWED, remedy="write it into a script and name that")
    return words


def tell_words(words: Sequence[str]) -> str:
    """The text from which parse_words makes the same words."""
    return shlex.join(words)


@dataclass(frozen=True, slots=True)
class Program:
    """The kind of a setting that is a command; held as its words."""

    unit: str = "command"
    allowed: str = ALLOWED

    def parse(self, value: object) -> tuple[str, ...]:
        """The words."""
        return parse_words(value)

    def read(self, text: str) -> object:
        """`text` itself."""
        return text

    def tell(self, value: Any) -> str:
        """The words as one text."""
        return tell_words(value)
