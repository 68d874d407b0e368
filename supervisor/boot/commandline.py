"""The words for us on a kernel's command line: who a booting host is, and where it finds its configuration. Pure.

They are names and URLs only. Everybody on the machine can read the command line, so that no secret may stand there.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

from supervisor.spec.host_id import is_host_id
from supervisor.spec.refused import Refused

PREFIX = "isolated."
_IMAGE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", re.ASCII)
LINE_MAX = 2048  # COMMAND_LINE_SIZE of x86; the kernel cuts what is longer, silently


@dataclass(frozen=True, slots=True, kw_only=True)
class BootWords:
    """What `isolated.NAME=…` words say; None: not said."""

    config: str | None = None  # the settings file
    token: str | None = None  # where a token for the key is handed out
    key: str | None = None  # where the key is, by https
    joined: str | None = None  # whom to tell that the host serves
    host: str | None = None  # the host's id, where its settings say none
    image: str | None = None  # the image that it was booted with, likewise

    def __str__(self) -> str:
        said = {name: getattr(self, name) for name in NAMES}
        return " ".join(f"{PREFIX}{name}={value}" for name, value in said.items() if value is not None)


URLS = ("config", "token", "key", "joined")
NAMES = (*URLS, "host", "image")


def parse_boot_words(line: str) -> BootWords:
    """What a command line says to us; the last of several counts, as for the kernel. Raises Refused."""
    found: dict[str, str] = {}
    for word in split_words(line):
        name, _, value = word.removeprefix(PREFIX).partition("=")
        if word.startswith(PREFIX) and name in NAMES:
            found[name] = _url(name, value) if name in URLS else _name(name, value)
    words = BootWords(**found)
    if (words.key is None) != (words.token is None):
        said, missing = ("key", "token") if words.token is None else ("token", "key")
        raise Refused(
            f"{PREFIX}{said} is there and {PREFIX}{missing} is not",
            allowed="both or none",
            remedy=f"add {PREFIX}{missing}=URL to the kernel's command line",
        )
    return words


def split_words(line: str) -> Iterator[str]:
    """The words as the kernel splits them: double quotes keep blanks and are left out."""
    word, quoted, started = "", False, False
    for character in line:
        if character == '"':
            quoted, started = not quoted, True
        elif character.isspace() and not quoted:
            if started:
                yield word
            word, started = "", False
        else:
            word, started = word + character, True
    if started:
        yield word


def _name(name: str, value: str) -> str:
    if is_host_id(value) if name == "host" else _IMAGE.fullmatch(value):
        return value
    allowed = "1 to 64 of a-z 0-9 -" if name == "host" else "1 to 64 letters, digits and . _ -"
    raise Refused(f"{PREFIX}{name} is no name", allowed=allowed, remedy="correct the word on the kernel's command line")


def _url(name: str, value: str) -> str:
    allowed = ("https",) if name == "key" else ("http", "https")
    try:
        parts = urlsplit(value)
        good = parts.scheme in allowed and bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        good = False
    if good:
        return value
    raise Refused(
        f"{PREFIX}{name} is not a URL that can be asked",
        allowed=" or ".join(f"{each}://host/path" for each in allowed),
        remedy="correct the word on the kernel's command line, in the boot server's image or groups",
    )
