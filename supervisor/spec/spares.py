"""Hosts that are off and can be started: `ID=wol:…`, `ID=redfish:https://…` or `ID=command:/path …`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

from supervisor.spec.host_id import is_host_id
from supervisor.spec.program import LENGTH, parse_words, tell_words
from supervisor.spec.redfish import Redfish, parse_redfish
from supervisor.spec.refused import Refused
from supervisor.spec.wake_on_lan import WakeOnLan, parse_wake_on_lan

ALLOWED = (
    "'ID=wol:MAC', 'ID=wol:MAC@BROADCAST:PORT', "
    "'ID=redfish:https://BMC/redfish/v1/Systems/NAME?credentials=/path&ca=/path' or 'ID=command:/path/program …'"
)
EXAMPLE = "rack1-host7=wol:00:5c:52:31:3a:9c"
SEPARATOR = ";"  # of spares in one text; no spare holds it


@dataclass(frozen=True, slots=True)
class Command:
    """A program that starts the machine."""

    scheme: ClassVar[str] = "command"

    words: tuple[str, ...]  # the first is an absolute path

    def __str__(self) -> str:
        return tell_words(self.words)


type Way = WakeOnLan | Redfish | Command


@dataclass(frozen=True, slots=True)
class Spare:
    """A host by its id, and how it is started."""

    id: str
    way: Way

    def __str__(self) -> str:
        return f"{self.id}={self.way.scheme}:{self.way}"


def parse_command(text: str) -> Command:
    """The program that `text` names; raises Refused."""
    words = parse_words(text)
    if not words[0].startswith("/"):
        raise Refused("the program's path is not absolute", allowed=ALLOWED, remedy="begin the path with '/'")
    return Command(words)


_PARSERS: dict[str, Callable[[str], Way]] = {
    WakeOnLan.scheme: parse_wake_on_lan,
    Redfish.scheme: parse_redfish,
    Command.scheme: parse_command,
}


def parse_spare(value: object) -> Spare:
    """The host that `value` spells, in its one canonical form; raises Refused."""
    if not isinstance(value, str) or not value.isprintable() or len(value) > LENGTH:
        raise Refused("not a spare host", allowed=ALLOWED, remedy=f"write a text of one line, for example '{EXAMPLE}'")
    if SEPARATOR in value:
        remedy = "in a URL write %3B; a command with it belongs into a script, for there is no shell"
        raise Refused("';' stands between spares and cannot be in one", allowed=ALLOWED, remedy=remedy)
    host, equals, way = value.strip().partition("=")
    if not equals or not is_host_id(host):
        remedy = f"begin with the host's id (1 to 64 of a-z 0-9 -) and '=', for example '{EXAMPLE}'"
        raise Refused("the id of a host is missing", allowed=ALLOWED, remedy=remedy)
    scheme, _, text = way.partition(":")
    if scheme not in _PARSERS:
        remedy = f"after '{host}=' write {', '.join(f"'{each}:'" for each in _PARSERS)}"
        raise Refused("no such way to start a host", allowed=ALLOWED, remedy=remedy)
    return Spare(host, _PARSERS[scheme](text))


@dataclass(frozen=True, slots=True)
class Spares:
    """The kind of a setting that lists spare hosts, in the order in which they are started."""

    unit: str = "hosts"
    allowed: str = f"a list of {ALLOWED}; in one text with '{SEPARATOR}' between them; or 'none'"

    def parse(self, value: object) -> tuple[Spare, ...]:
        """The spares in order; raises Refused."""
        texts = value.split(SEPARATOR) if isinstance(value, str) else value
        if not isinstance(texts, list):
            raise Refused("not a list of spare hosts", allowed=self.allowed, remedy=f"write for example ['{EXAMPLE}']")
        if texts in ([], ["none"], [""]):
            return ()
        spares = tuple(_numbered(number, text) for number, text in enumerate(texts, 1))
        host, times = Counter(spare.id for spare in spares).most_common(1)[0]
        if times > 1:
            raise Refused(f"the host {host} stands there twice", allowed=self.allowed, remedy="take one out")
        return spares

    def read(self, text: str) -> object:
        """`text` itself."""
        return text

    def tell(self, value: Any) -> str:
        """The spares as one text."""
        return f"{SEPARATOR} ".join(map(str, value)) or "none"


def _numbered(number: int, value: object) -> Spare:
    try:
        return parse_spare(value)
    except Refused as refused:
        message = f"spare {number}: {refused.message}"
        raise Refused(message, allowed=refused.allowed, remedy=refused.remedy) from None
