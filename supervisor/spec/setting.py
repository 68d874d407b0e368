"""One setting of the host: its names in files, in the environment and on the command line come from one word."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from supervisor.spec.kinds import Kind
from supervisor.spec.refused import Refused

PREFIX = "ISOLATED_"
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


@dataclass(frozen=True, slots=True)
class Declared:
    """What is written down once for a setting, beside its default."""

    kind: Kind
    meaning: str
    nothing: str | None = None  # the word for null, which TOML, the environment and flags do not have
    hidden: bool = False  # for development: not in the documentation


@dataclass(frozen=True, slots=True)
class Setting:
    """A setting with all its names; `attribute` is that of HostSettings, which may end in the unit of its value."""

    attribute: str
    name: str  # in the file
    default: Any
    declared: Declared

    @property
    def env(self) -> str:
        """The name of the environment variable."""
        return PREFIX + _HUMP.sub("_", self.name).upper()

    @property
    def flag(self) -> str:
        """The option of `isolated serve`."""
        return "--" + _HUMP.sub("-", self.name).lower()

    @property
    def nullable(self) -> bool:
        """Whether null is a value."""
        return self.declared.nothing is not None

    @property
    def allowed(self) -> str:
        """What may stand there, in words."""
        return self.declared.kind.allowed + (f", or '{self.declared.nothing}'" if self.nullable else "")

    def parse(self, value: object) -> Any:
        """The value as HostSettings holds it, from one of a file; raises Refused."""
        if self.nullable and (value is None or value == self.declared.nothing):
            return None
        try:
            return self.declared.kind.parse(value)
        except Refused as refused:
            raise Refused(refused.message, allowed=self.allowed, remedy=refused.remedy) from None

    def parse_text(self, text: str) -> Any:
        """The same from a text of the environment or of a flag, where 4 and true have no other spelling."""
        return self.parse(self.declared.kind.read(text.strip()))

    def tell(self, value: Any) -> str:
        """A value of HostSettings as a person would write it."""
        if value is None:
            return self.declared.nothing or "null"
        return self.declared.kind.tell(value)


def setting(default: Any, kind: Kind, meaning: str, *, nothing: str | None = None, hidden: bool = False) -> Any:
    """Declares a field of HostSettings; `nothing` allows null and is the word for it."""
    return field(default=default, metadata={"setting": Declared(kind, meaning, nothing, hidden)})
